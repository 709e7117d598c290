// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package endtoend runs the built binary between a real control plane and a real Jaeger, and holds what comes out
// against the audit log that the API server wrote itself.
package endtoend

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const root = "../.."

// bed is a control plane whose audit log goes to Kelemetry, and to a file for comparison.
type bed struct {
	*testbed.Cluster
	t        *testing.T
	auditLog string
	live     outputs
	jaeger   *testbed.Jaeger
	process  *collector.Collector
}

// outputs are the files of everything that a process exported.
type outputs struct{ traces, logs string }

// startBed starts them. The webhook's URL may be changed, to put something in between.
func startBed(t *testing.T, level testbed.AuditLevel, webhook func(url string) testbed.AuditWebhook) *bed {
	t.Helper()
	dir := t.TempDir()
	b := &bed{t: t, auditLog: filepath.Join(dir, "audit.log"), live: outputs{filepath.Join(dir, "traces.jsonl"), filepath.Join(dir, "logs.jsonl")}}
	b.jaeger = testbed.JaegerForTest(t, testbed.JaegerOptions{})
	address := testbed.FreeAddress(t)
	b.process = startCollector(t, "live.yaml",
		"WEBHOOK="+address, "JAEGER_OTLP="+b.jaeger.OTLPGRPC, "TRACES="+b.live.traces, "LOGS="+b.live.logs)
	b.Cluster = testbed.ForTest(t, testbed.Options{Audit: testbed.Audit{
		Level: level, Webhook: webhook("http://" + address + "/audit/live"), Log: testbed.AuditLog{Path: b.auditLog},
	}})
	return b
}

// directly is the webhook as it is.
func directly(url string) testbed.AuditWebhook { return testbed.AuditWebhook{URL: url} }

func startCollector(t *testing.T, config string, env ...string) *collector.Collector {
	t.Helper()
	return collector.ForTest(t, collector.Options{
		Root: root, Config: filepath.Join("integration", "endtoend", "testdata", config), Env: env,
	})
}

// written returns the completed writes in a namespace that the API server has logged, in the order in which they
// came in, without those that are excluded by default.
func (b *bed) written(namespace string) []testbed.AuditEvent {
	b.t.Helper()
	file, err := os.Open(b.auditLog)
	require.NoError(b.t, err)
	defer func() { require.NoError(b.t, file.Close()) }()
	var events []testbed.AuditEvent
	require.NoError(b.t, testbed.ReadAuditLog(file, func(_ []byte, e testbed.AuditEvent) error {
		if e.Stage == "ResponseComplete" && e.ObjectRef.Namespace == namespace && traced(e) {
			events = append(events, e)
		}
		return nil
	}))
	return events
}

func traced(e testbed.AuditEvent) bool {
	connects := map[string]bool{"exec": true, "attach": true, "portforward": true, "proxy": true}
	excluded := map[string]bool{"events": true, "leases": true}
	return (e.Writes() || connects[e.ObjectRef.Subresource]) && !excluded[e.ObjectRef.Resource]
}

func idsOf(events []testbed.AuditEvent) map[string]bool {
	set := make(map[string]bool, len(events))
	for _, e := range events {
		set[e.AuditID] = true
	}
	return set
}

// windowOf is the start of the window that a time falls into.
func windowOf(at time.Time) time.Time { return at.Truncate(30 * time.Minute) }
