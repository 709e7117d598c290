// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package links

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// TestSpansOfAnotherSourceAreOnTheirObjects runs config-examples/custom-source.yaml: the span of a program in a Pod comes to be
// under the Pod, and the Pod under its ReplicaSet.
func TestSpansOfAnotherSourceAreOnTheirObjects(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	address := testbed.FreeAddress(t)
	startCollector(t, filepath.Join("config-examples", "custom-source.yaml"),
		"KELEMETRY_OTLP="+address, "KELEMETRY_HEALTH="+testbed.FreeAddress(t), "JAEGER_OTLP="+jaeger.OTLPGRPC)

	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	for key, value := range map[string]string{
		"service.name": "checkout", "k8s.cluster.name": "prod", "k8s.namespace.name": "shop", "k8s.pod.name": "checkout-1-a", "k8s.pod.uid": "u-pod",
		"k8s.replicaset.name": "checkout-1", "k8s.replicaset.uid": "u-rs",
	} {
		rs.Resource().Attributes().PutStr(key, value)
	}
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("POST /orders")
	span.SetTraceID([16]byte{1, 2, 3})
	span.SetSpanID([8]byte{4, 5, 6})
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(time.Second)))
	post(t, address, td)

	object := identity.Object{Cluster: "prod", Resource: "pods", Namespace: "shop", Name: "checkout-1-a"}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
			Service: "prod", Tags: map[string]string{attr.ObjectID: identity.ObjectID(object).String()},
		})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		roots := traces[0].Roots()
		require.Len(c, roots, 1)
		assert.Equal(c, "replicasets/checkout-1", roots[0].Operation)
		below := traces[0].Children(roots[0])
		require.Len(c, below, 1)
		assert.Equal(c, "pods/checkout-1-a", below[0].Operation)
		spans := traces[0].Children(below[0])
		require.Len(c, spans, 1)
		assert.Equal(c, "POST /orders", spans[0].Operation)
		assert.Equal(c, []testbed.Reference{{TraceID: span.TraceID().String(), SpanID: span.SpanID().String()}}, spans[0].Links, "where it was")
	}, patience, 500*time.Millisecond)
}

// TestTheExampleLinker builds a Collector with the extension of docs/links.md, and has it link a Deployment.
func TestTheExampleLinker(t *testing.T) {
	binary := buildWithLinker(t)
	address, traces := testbed.FreeAddress(t), filepath.Join(t.TempDir(), "traces.jsonl")
	config, err := filepath.Abs(filepath.Join("testdata", "teamlinker", "config.yaml"))
	require.NoError(t, err)
	collector.ForTest(t, collector.Options{Binary: binary, Config: config, Env: []string{"OTLP=" + address, "TRACES=" + traces}})

	web := objectspan.Resource{
		Object: identity.Object{Cluster: "prod", Group: "apps", Resource: "deployments", Namespace: "shop", Name: "web"},
		Kind:   "Deployment", APIVersion: "apps/v1", UID: "u",
	}
	batch := objectspan.NewBatch(identity.DefaultWindow, "test", "1")
	span := batch.Append(web, attr.SpanTypeWatch, time.Now(), time.Now())
	span.SetName("created")
	span.SetSpanID(identity.WatchSpanID(span.TraceID(), "u", "1", "created"))
	event := span.Events().AppendEmpty()
	event.SetName(attr.EventSnapshot)
	event.Attributes().PutStr(attr.SnapshotObject, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"}}`)
	post(t, address, batch.Traces())

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		seen := map[string]bool{}
		for _, s := range exported(c, traces) {
			if target := s.attribute(attr.LinkTargetName); target != "" {
				seen[fmt.Sprintf("%s to %s by %s", s.Name(), target, s.attribute(attr.LinkRule))] = true
			}
		}
		assert.Equal(c, map[string]bool{"team to storefront by linker team_linker": true, "team to web by linker team_linker": true}, seen)
	}, patience, 100*time.Millisecond)
}

// buildWithLinker runs ocb on the example's manifest, with the modules of this checkout.
func buildWithLinker(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	checkout, err := filepath.Abs(root)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join("testdata", "teamlinker", "manifest.yaml"))
	require.NoError(t, err)
	manifest := strings.NewReplacer(
		"./my-collector", filepath.Join(dir, "my-collector"),
		"./teamlinker", filepath.Join(checkout, "integration", "links", "testdata", "teamlinker"),
	).Replace(string(text)) + "\nreplaces:\n  - github.com/kelemetry/kelemetry => " + checkout + "\n"
	file := filepath.Join(dir, "manifest.yaml")
	require.NoError(t, os.WriteFile(file, []byte(manifest), 0o600))
	ocb := exec.CommandContext(t.Context(), "go", "tool", "-modfile=internal/tools/go.mod", "builder", "--skip-strict-versioning=false", "--config", file)
	ocb.Dir = root
	out, err := ocb.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(dir, "my-collector", "my-collector")
}

// post sends spans by OTLP over HTTP.
func post(t *testing.T, address string, td ptrace.Traces) {
	t.Helper()
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalJSON()
	require.NoError(t, err)
	resp, err := http.Post("http://"+address+"/v1/traces", "application/json", strings.NewReader(string(body)))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
