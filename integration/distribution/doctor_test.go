// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

// TestDoctor breaks one thing after the other and has the doctor of the built binary say which.
func TestDoctor(t *testing.T) {
	cluster := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly})
	webhook, page := testbed.FreeAddress(t), testbed.FreeAddress(t)
	away, metrics := testbed.FreeAddress(t), testbed.FreeAddress(t)
	host, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	sink := collector.SinkForTest(t)
	config := write(t, t.TempDir(), "ill.yaml", `
extensions:
  doctor: { endpoint: "`+page+`", metrics_url: "http://`+metrics+`/metrics" }
  kube_clusters: { clusters: { prod: { kubeconfig: { path: "`+cluster.Mallory.Kubeconfig+`" } } } }
  kube_clusters/nobody: { clusters: { nobody: { server: { url: "http://`+testbed.FreeAddress(t)+`" } } } }
receivers:
  auditlog: { webhook: { endpoint: "`+webhook+`" } }
  watch: { include: [{ resources: [configmaps] }] }
exporters:
  otlp_grpc/away: { endpoint: "`+away+`", tls: { insecure: true }, retry_on_failure: { max_elapsed_time: 0 } }
  otlp_grpc/there: { endpoint: "`+sink.Address+`", tls: { insecure: true } }
service:
  extensions: [doctor, kube_clusters, kube_clusters/nobody]
  telemetry:
    metrics:
      readers:
        - pull: { exporter: { prometheus: { host: "`+host+`", port: `+port+`, without_type_suffix: true, without_units: true, without_scope_info: true } } }
  pipelines:
    traces: { receivers: [auditlog, watch], exporters: [otlp_grpc/away, otlp_grpc/there] }
`)
	collector.ForTest(t, collector.Options{Root: root, Config: config})

	awaitSaid(t, page, "PROBLEM  receiver auditlog: no audit event ever came, and no webhook request\n")
	awaitSaid(t, page, "PROBLEM  receiver watch: StatusRecoverableError: ", "forbidden")
	awaitSaid(t, page, "PROBLEM  extension kube_clusters/nobody: ")
	post(t, webhook, "prod", []string{readEvent("r", "list", "alice", "", time.Second, 200)})
	awaitSaid(t, page, "PROBLEM  receiver auditlog: all 1 events were filtered: 1 by verb\n")
	response, err := http.Post("http://"+webhook+"/audit/prod", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	awaitSaid(t, page, "PROBLEM  receiver auditlog: 1 webhook requests were answered 400\n")
	post(t, webhook, "prod", events(time.Now()))
	awaitSaid(t, page, "ok       receiver auditlog: 3 of 4 events became spans\n", "ok       exporter otlp_grpc/there: 3 spans were sent\n",
		"PROBLEM  exporter otlp_grpc/away: nothing has been sent yet, and spans wait in its queue\n")
}

// awaitSaid waits until the page has all these texts.
func awaitSaid(t *testing.T, address string, texts ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		response, err := http.Get("http://" + address)
		require.NoError(c, err)
		defer response.Body.Close()
		page, err := io.ReadAll(response.Body)
		require.NoError(c, err)
		for _, text := range texts {
			assert.Contains(c, string(page), text)
		}
	}, patience, 200*time.Millisecond)
}
