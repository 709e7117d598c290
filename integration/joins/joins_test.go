// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package joins tests on a real control plane that changes are put onto the requests that made them, and onto no others.
package joins

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

const (
	cluster  = "prod"
	patience = time.Minute
)

// TestJoinsOfARollOut: the audit log at level RequestResponse tells which request made which version. With the bodies taken out, as
// at level Metadata, the same has to be found, or nothing.
func TestJoinsOfARollOut(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.log")
	bed := testbed.ForTest(t, testbed.Options{Audit: testbed.Audit{Log: testbed.AuditLog{Path: log}}, Pods: testbed.PodsFast})
	watched := startWatch(t, bed)
	awaitWatch(t, bed, watched, "before")
	_, err := testbed.RolloutScenario(t.Context(), bed, testbed.RolloutOptions{})
	require.NoError(t, err)
	awaitWatch(t, bed, watched, "after")
	written, err := os.ReadFile(log)
	require.NoError(t, err)
	events := bytes.Split(bytes.TrimSpace(written), []byte("\n"))

	truth := map[string]string{} // version by audit ID
	exact := 0
	for _, s := range joined(t, watched, audited(t, events)) {
		if version := text(s, attr.ObjectResourceVersion); version != "" {
			truth[text(s, attr.AuditID)] = version
		}
		if text(s, attr.DiffJoin) == attr.DiffJoinExact {
			exact++
		}
	}
	require.Greater(t, exact, 20)

	inferred := 0
	for _, s := range joined(t, watched, audited(t, withoutBodies(t, events))) {
		require.NotEqual(t, attr.DiffJoinExact, text(s, attr.DiffJoin))
		if text(s, attr.DiffJoin) == "" {
			continue
		}
		// Of some, such as deletions and bindings, no response tells the version.
		if version, ok := truth[text(s, attr.AuditID)]; ok {
			inferred++
			assert.Equal(t, version, text(s, attr.DiffResourceVersion), "%s %s", s.Name(), text(s, attr.AuditID))
		}
	}
	t.Logf("%d exact with bodies; %d inferred without", exact, inferred)
	require.Greater(t, inferred, exact/2)
}

// joined are the audit spans, as they come out of a k8slink that has had the watch spans before.
func joined(t *testing.T, watched *consumertest.TracesSink, audits ptrace.Traces) []ptrace.Span {
	t.Helper()
	factory, sink := k8slinkprocessor.NewFactory(), new(consumertest.TracesSink)
	p, err := factory.CreateTraces(t.Context(), processortest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
	for _, td := range append(watched.AllTraces(), audits) {
		fresh := ptrace.NewTraces()
		td.CopyTo(fresh)
		require.NoError(t, p.ConsumeTraces(t.Context(), fresh))
	}
	all := sink.AllTraces()
	var audit []ptrace.Span
	each(all[len(all)-1:], func(_ string, s ptrace.Span) {
		if text(s, attr.SpanType) == attr.SpanTypeAudit {
			audit = append(audit, s)
		}
	})
	return audit
}

// audited makes spans of audit events, as the webhook takes them.
func audited(t *testing.T, events [][]byte) ptrace.Traces {
	t.Helper()
	factory, sink := auditlogreceiver.NewFactory(), new(consumertest.TracesSink)
	config := factory.CreateDefaultConfig()
	address := testbed.FreeAddress(t)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"webhook": map[string]any{"endpoint": address, "path": "/audit", "max_request_body_size": 1 << 30},
	}).Unmarshal(config))
	r, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), config, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, r.Shutdown(context.Background())) }()
	all := ptrace.NewTraces()
	for len(events) > 0 {
		n := min(len(events), 400)
		body := append([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`), bytes.Join(events[:n], []byte(","))...)
		response, err := http.Post("http://"+address+"/audit/"+cluster, "application/json", bytes.NewReader(append(body, "]}"...)))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode)
		events = events[n:]
	}
	for _, td := range sink.AllTraces() {
		td.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
	}
	return all
}

// withoutBodies makes of events what the API server logs of them at level Metadata.
func withoutBodies(t *testing.T, events [][]byte) [][]byte {
	t.Helper()
	var stripped [][]byte
	for _, line := range events {
		var event map[string]any
		require.NoError(t, json.Unmarshal(line, &event))
		delete(event, "requestObject")
		delete(event, "responseObject")
		event["level"] = "Metadata"
		text, err := json.Marshal(event)
		require.NoError(t, err)
		stripped = append(stripped, text)
	}
	return stripped
}

// host has the one extension that the watch needs.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// startWatch watches all objects.
func startWatch(t *testing.T, bed *testbed.Cluster) *consumertest.TracesSink {
	t.Helper()
	clusters := kubeclustersextension.NewFactory()
	config := clusters.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"clusters": map[string]any{cluster: map[string]any{"kubeconfig": map[string]any{"path": bed.Kubeconfig}}},
	}).Unmarshal(config))
	known, err := clusters.Create(t.Context(), extensiontest.NewNopSettings(clusters.Type()), config)
	require.NoError(t, err)
	h := host{component.NewID(clusters.Type()): known}
	require.NoError(t, known.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, known.Shutdown(context.Background())) })

	factory, sink := watchreceiver.NewFactory(), new(consumertest.TracesSink)
	r, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	return sink
}

// awaitWatch waits until the watch tells of a Pod that is made now. What is there before the watch begins, it only learns.
func awaitWatch(t *testing.T, bed *testbed.Cluster, watched *consumertest.TracesSink, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for try := 0; ctx.Err() == nil; try++ {
		pod, err := testbed.CreatePod(ctx, bed.Alice, "default", fmt.Sprintf("%s-%d", name, try))
		require.NoError(t, err)
		err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 5*time.Second, true, func(context.Context) (told bool, err error) {
			each(watched.AllTraces(), func(object string, s ptrace.Span) {
				told = told || object == pod.Name && s.Name() == "updated"
			})
			return told, nil
		})
		if err == nil {
			return
		}
	}
	t.Fatal("the watch tells nothing")
}

// each visits spans with the names of their objects.
func each(batches []ptrace.Traces, visit func(object string, s ptrace.Span)) {
	for _, td := range batches {
		for _, rs := range td.ResourceSpans().All() {
			name, _ := rs.Resource().Attributes().Get(attr.ObjectName)
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					visit(name.Str(), s)
				}
			}
		}
	}
}

func text(s ptrace.Span, key string) string {
	if v, ok := s.Attributes().Get(key); ok {
		return v.AsString()
	}
	return ""
}
