// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package plugin looks at real control planes through a real Jaeger whose storage is jaeger_plugin, with the files that users start from:
// config-examples/jaeger-plugin.yaml and deploy/jaeger.
package plugin

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/servers"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const (
	root     = "../.."
	patience = time.Minute
)

// bed is everything that runs: two clusters, one collector, and two storages that get the same, each behind a page.
type bed struct {
	// prod is a whole cluster, of which all sources tell.
	prod *testbed.Cluster
	// hub has an API server alone, and only its audit log tells of it. Bodies of requests for Pods are not in it.
	hub *testbed.Cluster
	// auditLog is the file that prod's API server writes itself.
	auditLog string
	// webhook takes audit events of any cluster.
	webhook string
	// pages are the ways to look, by the storage behind.
	pages map[string]*page
	// small is the address of a plug-in with small limits, traced of one that shows the spans of hub's API server.
	small, traced string
}

// page is a Jaeger whose storage is the plug-in.
type page struct {
	// jaeger is its API.
	jaeger testbed.JaegerClient
	// http is the address of the plug-in's own HTTP server.
	http string
}

func (p *page) search(t *testing.T, mode string, tags map[string]string) ([]testbed.Trace, error) {
	t.Helper()
	return p.searchIn(t, "prod", mode, tags)
}

func (p *page) searchIn(t *testing.T, cluster, mode string, tags map[string]string) ([]testbed.Trace, error) {
	t.Helper()
	return p.jaeger.FindTraces(t.Context(), testbed.TraceQuery{Service: mode, Operation: cluster, Tags: tags, Limit: 20})
}

// hubPolicy leaves out the bodies of requests for Pods, as many do, but has those of their status.
const hubPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  resources: [{group: "", resources: [pods]}]
- level: RequestResponse
`

func startBed(t *testing.T) *bed {
	t.Helper()
	dir := t.TempDir()
	b := &bed{webhook: "http://" + testbed.FreeAddress(t), auditLog: filepath.Join(dir, "audit.log"), pages: map[string]*page{}}
	env := []string{
		"KELEMETRY_WEBHOOK=" + b.webhook[len("http://"):], "KELEMETRY_CLUSTER=prod", "KELEMETRY_STATE=" + filepath.Join(dir, "state"),
		"KELEMETRY_HEALTH=" + testbed.FreeAddress(t),
	}
	storage := b.startPage(t, "badger", "deploy/jaeger/storage.yaml", "JAEGER_DATA="+filepath.Join(dir, "badger"))
	env = append(env, storage.env("JAEGER", "KELEMETRY", "JAEGER")...)
	env = append(env, b.startPage(t, "memory", "integration/plugin/testdata/memory.yaml").env("MEMORY", "MEMORY", "MEMORY")...)
	small, traced := testbed.FreeAddress(t), testbed.FreeAddress(t)
	b.small, b.traced = "http://"+small, "http://"+traced
	tracing := filepath.Join(dir, "tracing.yaml")
	require.NoError(t, os.WriteFile(tracing, []byte(`apiVersion: apiserver.config.k8s.io/v1
kind: TracingConfiguration
endpoint: `+storage.storage+`
samplingRatePerMillion: 1000000
`), 0o600))
	b.prod = testbed.ForTest(t, testbed.Options{Pods: testbed.PodsFast, Audit: testbed.Audit{
		Webhook: testbed.AuditWebhook{URL: b.webhook + "/audit", InitialBackoff: time.Second}, Log: testbed.AuditLog{Path: b.auditLog},
	}})
	b.hub = testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly, APIServerFlags: []string{"--tracing-config-file=" + tracing}, Audit: testbed.Audit{
		Policy: hubPolicy, Webhook: testbed.AuditWebhook{URL: b.webhook + "/audit/hub", InitialBackoff: time.Second},
	}})
	start(t, collector.Options{
		Ready:  collector.Watching,
		Config: "config-examples/jaeger-plugin.yaml", Over: []string{"integration/plugin/testdata/second-storage.yaml"},
		Set: []string{collector.NoMetrics},
		Env: append(env, "KUBECONFIG="+b.prod.Kubeconfig, "SMALL_HTTP="+small, "SMALL_PLUGIN="+testbed.FreeAddress(t),
			"TRACED_HTTP="+traced, "TRACED_PLUGIN="+testbed.FreeAddress(t)),
	})
	return b
}

// addresses are those that a plug-in needs.
type addresses struct{ storage, plugin, http, url string }

func (a addresses) env(storage, plugin, page string) []string {
	return []string{storage + "_STORAGE=" + a.storage, plugin + "_PLUGIN=" + a.plugin, plugin + "_HTTP=" + a.http, page + "_URL=" + a.url}
}

// startPage starts a storage, and a Jaeger that asks the plug-in, which has yet to come.
func (b *bed) startPage(t *testing.T, name, storage string, env ...string) addresses {
	t.Helper()
	jaeger, err := servers.Path(t.Context(), servers.Jaeger)
	require.NoError(t, err)
	a := addresses{testbed.FreeAddress(t), testbed.FreeAddress(t), testbed.FreeAddress(t), "http://" + testbed.FreeAddress(t)}
	start(t, collector.Options{Binary: jaeger, Config: storage, Env: append(env, "JAEGER_STORAGE="+a.storage)})
	start(t, collector.Options{Binary: jaeger, Config: "deploy/jaeger/query.yaml", Env: []string{
		"KELEMETRY_PLUGIN=" + a.plugin, "JAEGER_HTTP=" + a.url[len("http://"):], "JAEGER_GRPC=" + testbed.FreeAddress(t),
		"JAEGER_UI_CONFIG=deploy/jaeger/ui.json",
	}})
	b.pages[name] = &page{jaeger: testbed.JaegerClient{URL: a.url}, http: "http://" + a.http}
	return a
}

func start(t *testing.T, o collector.Options) {
	t.Helper()
	o.Root = root
	collector.ForTest(t, o)
}

// noRedirects shows where a redirect leads.
var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
