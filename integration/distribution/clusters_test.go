// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// TestExamplesOfClusters runs tempo.yaml, multi-cluster.yaml and managed-cluster.yaml on one control plane, which each knows by other names, and
// does a roll-out that all of them must tell.
func TestExamplesOfClusters(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	kafka := testbed.KafkaForTest(t, 2)
	tempoWebhook, webhook, auditLog := testbed.FreeAddress(t), testbed.FreeAddress(t), filepath.Join(t.TempDir(), "audit.log")
	cluster := testbed.ForTest(t, testbed.Options{Pods: testbed.PodsFast, Audit: testbed.Audit{
		Webhook: testbed.AuditWebhook{URL: "http://" + tempoWebhook + "/audit", InitialBackoff: time.Second}, Log: testbed.AuditLog{Path: auditLog},
	}})
	env := func(more ...string) []string {
		return append(more, "KELEMETRY_STATE="+filepath.Join(t.TempDir(), "state"), "KELEMETRY_HEALTH="+testbed.FreeAddress(t), "KUBECONFIG="+cluster.Kubeconfig,
			"JAEGER_OTLP="+jaeger.OTLPGRPC)
	}
	startExample(t, "tempo.yaml", env("KELEMETRY_CLUSTER=tempo", "KELEMETRY_WEBHOOK="+tempoWebhook, "OTLP_HTTP="+jaeger.OTLPHTTP))
	startExample(t, "multi-cluster.yaml", env("KELEMETRY_WEBHOOK="+webhook, "KUBECONFIG_PROD="+cluster.Kubeconfig, "KUBECONFIG_STAGING="+cluster.Kubeconfig))
	startExample(t, "managed-cluster.yaml", env("KELEMETRY_CLUSTER=managed", "KELEMETRY_KAFKA="+kafka.Broker))

	_, err := testbed.RolloutScenario(t.Context(), cluster, testbed.RolloutOptions{})
	require.NoError(t, err)
	lines, written := auditLines(t, auditLog)
	for begin := 0; begin < len(lines); begin += 400 {
		post(t, webhook, "staging", lines[begin:min(begin+400, len(lines))])
	}
	const some = 40 // a record must not be larger than 1 MB
	toKafka(t, kafka, append([]string{
		"this is no audit event",
		`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(lines[:some], ",") + "]}",
		strings.Join(lines[some:2*some], "\n"),
		ofAzure(t, lines[2*some:3*some]),
		ofCloudWatch(t, lines[3*some:4*some]),
	}, lines[4*some:]...))

	for name, audited := range map[string]bool{"tempo": true, "managed": true, "prod": false, "staging": true} {
		t.Run(name, func(t *testing.T) {
			awaitTree(t, jaeger, name, "deployments/demo", "replicasets/demo-", "pods/demo-")
			for _, spanType := range []string{attr.SpanTypeEvent, attr.SpanTypeWatch} {
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					found, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{Service: name, Tags: map[string]string{attr.SpanType: spanType}})
					require.NoError(c, err)
					assert.NotEmpty(c, found, spanType)
				}, patience, 200*time.Millisecond)
			}
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				told := auditIDsIn(t, c, jaeger, name)
				if !audited {
					assert.Empty(c, told)
					return
				}
				missing := 0
				for id := range written {
					if !told[id] {
						missing++
					}
				}
				assert.Zero(c, missing, "writes of the roll-out are not told")
			}, patience, 500*time.Millisecond)
		})
	}
}

// auditLines returns what the API server has written so far, and the IDs of the writes of the roll-out that are traced by default. What was
// before it may have found nobody listening yet.
func auditLines(t *testing.T, name string) (lines []string, written map[string]bool) {
	t.Helper()
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	written = map[string]bool{}
	excluded := map[string]bool{"events": true, "leases": true}
	require.NoError(t, testbed.ReadAuditLog(file, func(line []byte, e testbed.AuditEvent) error {
		lines = append(lines, string(line))
		if e.Writes() && e.Stage == "ResponseComplete" && e.ObjectRef.Namespace == "demo" && !excluded[e.ObjectRef.Resource] {
			written[e.AuditID] = true
		}
		return nil
	}))
	require.NotEmpty(t, written)
	return lines, written
}

// auditIDsIn returns the audit IDs that Jaeger has of a cluster.
func auditIDsIn(t *testing.T, c *assert.CollectT, jaeger *testbed.Jaeger, cluster string) map[string]bool {
	t.Helper()
	traces, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{Service: cluster, Limit: 100_000})
	require.NoError(c, err)
	ids := map[string]bool{}
	for _, trace := range traces {
		for _, span := range trace.Spans {
			if id, ok := span.Tags[attr.AuditID].(string); ok {
				ids[id] = true
			}
		}
	}
	return ids
}

// toKafka writes records to the topic of managed-cluster.yaml, by the binary's own exporter.
func toKafka(t *testing.T, kafka *testbed.Kafka, records []string) {
	t.Helper()
	address := testbed.FreeAddress(t)
	config := write(t, t.TempDir(), "to-kafka.yaml", `
receivers:
  otlp: { protocols: { http: { endpoint: "`+address+`" } } }
exporters:
  kafka:
    brokers: ["`+kafka.Broker+`"]
    logs: { topic: kube-audit, encoding: raw }
    sending_queue: { enabled: false }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [otlp], exporters: [kafka] }
`)
	writer, err := collector.Start(t.Context(), collector.Options{Root: root, Config: config})
	require.NoError(t, err)
	var logs []map[string]any
	for _, record := range records {
		logs = append(logs, map[string]any{"body": map[string]any{"bytesValue": []byte(record)}})
	}
	body, err := json.Marshal(map[string]any{"resourceLogs": []any{map[string]any{"scopeLogs": []any{map[string]any{"logRecords": logs}}}}})
	require.NoError(t, err)
	response, err := http.Post("http://"+address+"/v1/logs", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", answer)
	require.NoError(t, writer.Stop())
}

// ofAzure is a record of an Event Hub that AKS sends to.
func ofAzure(t *testing.T, events []string) string {
	t.Helper()
	var records []map[string]any
	for _, event := range events {
		records = append(records, map[string]any{"category": "kube-audit", "properties": map[string]string{"log": event}})
	}
	return asJSON(t, map[string]any{"records": records})
}

// ofCloudWatch is what a subscription of an EKS cluster's log group delivers.
func ofCloudWatch(t *testing.T, events []string) string {
	t.Helper()
	var logged []map[string]string
	for _, event := range events {
		logged = append(logged, map[string]string{"message": event})
	}
	return asJSON(t, map[string]any{"messageType": "DATA_MESSAGE", "logStream": "kube-apiserver-audit-0a1b", "logEvents": logged})
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
