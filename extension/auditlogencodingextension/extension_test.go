// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogencodingextension

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/kelemetry/kelemetry/extension/auditlogencodingextension/internal/metadata"
	"github.com/kelemetry/kelemetry/extension/auditlogencodingextension/internal/metadatatest"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/auditlog"
	"github.com/kelemetry/kelemetry/internal/readmetest"
)

func TestReadme(t *testing.T) {
	readmetest.Examples(t, "extensions", NewFactory())
	readmetest.NamesEveryOption(t, createDefaultConfig())
}

func loadConfig(t *testing.T, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(config))
	return config
}

func TestConfig(t *testing.T) {
	require.ErrorContains(t, confmap.Validate(createDefaultConfig()), "cluster: a cluster's name must be 1 to 253")

	config := loadConfig(t, "auditlog_encoding/full")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, "prod", config.Cluster)
	assert.Equal(t, []string{"*"}, config.Filter.Verbs)
	assert.Equal(t, auditlog.SnapshotConfig{Enabled: false, MaxSize: 1000}, config.Snapshots)
	assert.Equal(t, 4096, config.MaxEventSize)

	err := confmap.Validate(loadConfig(t, "auditlog_encoding/wrong"))
	for _, want := range []string{
		"cluster: a cluster's name", "window: must be whole seconds", "max_event_size: must be positive", "snapshots::max_size: must be positive",
		"filter: verbs: name at least one",
	} {
		require.ErrorContains(t, err, want)
	}
}

// event is an audit event of a patch.
func event(id string) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":%q,"stage":"ResponseComplete","verb":"patch","requestURI":"/x",`+
		`"user":{"username":"alice"},"objectRef":{"resource":"pods","namespace":"d","name":"p","apiVersion":"v1"},"responseStatus":{"code":200},`+
		`"requestReceivedTimestamp":"2026-01-02T03:04:05.000000Z","stageTimestamp":"2026-01-02T03:04:06.000000Z"}`, id)
}

func read(id string) string {
	return strings.Replace(event(id), `"verb":"patch"`, `"verb":"get"`, 1)
}

func list(events ...string) string {
	return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(events, ",") + "]}"
}

func azure(t *testing.T, category string, logs ...string) string {
	t.Helper()
	var records []map[string]any
	for _, log := range logs {
		records = append(records, map[string]any{
			"time": "2026-01-02T03:04:05Z", "category": category, "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
			"properties": map[string]any{"log": log + "\n", "stream": "stdout", "pod": "kube-apiserver-1"},
		})
	}
	text, err := json.Marshal(map[string]any{"records": records})
	require.NoError(t, err)
	return string(text)
}

func cloudWatch(t *testing.T, messageType, stream string, messages ...string) string {
	t.Helper()
	var events []map[string]any
	for i, message := range messages {
		events = append(events, map[string]any{"id": fmt.Sprint(i), "timestamp": 1767322446000, "message": message})
	}
	text, err := json.Marshal(map[string]any{
		"messageType": messageType, "owner": "111122223333", "logGroup": "/aws/eks/prod/cluster", "logStream": stream,
		"subscriptionFilters": []string{"audit"}, "logEvents": events,
	})
	require.NoError(t, err)
	return string(text)
}

func newTestExtension(t *testing.T, set extension.Settings) *encodingExtension {
	t.Helper()
	config := createDefaultConfig().(*Config)
	config.Cluster = "prod"
	created, err := NewFactory().Create(t.Context(), set, config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, created.Shutdown(context.Background())) })
	require.NoError(t, created.Start(t.Context(), componenttest.NewNopHost()))
	return created.(*encodingExtension)
}

func auditIDs(td ptrace.Traces) []string {
	var ids []string
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				id, _ := span.Attributes().Get(attr.AuditID)
				ids = append(ids, id.Str())
			}
		}
	}
	return ids
}

func TestEachFormOfRecordIsDecoded(t *testing.T) {
	e := newTestExtension(t, extensiontest.NewNopSettings(metadata.Type))
	var pretty map[string]any
	require.NoError(t, json.Unmarshal([]byte(event("a")), &pretty))
	indented, err := json.MarshalIndent(pretty, "", "  ")
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		record string
		want   []string
	}{
		"an EventList":                 {list(event("a"), event("b")), []string{"a", "b"}},
		"an empty EventList":           {list(), nil},
		"an Event":                     {event("a"), []string{"a"}},
		"an Event with a line end":     {event("a") + "\n", []string{"a"}},
		"an Event on several lines":    {string(indented), []string{"a"}},
		"lines":                        {event("a") + "\n" + event("b") + "\r\n\n" + event("c"), []string{"a", "b", "c"}},
		"a read":                       {read("a"), nil},
		"Azure":                        {azure(t, "kube-audit", event("a"), event("b")), []string{"a", "b"}},
		"Azure, writes":                {azure(t, "kube-audit-admin", event("a")), []string{"a"}},
		"Azure, another log":           {azure(t, "kube-scheduler", "I0102 03:04:05 all is well"), nil},
		"CloudWatch":                   {cloudWatch(t, "DATA_MESSAGE", "kube-apiserver-audit-0a1b", event("a"), event("b")), []string{"a", "b"}},
		"CloudWatch, another log":      {cloudWatch(t, "DATA_MESSAGE", "authenticator-0a1b", "time=… level=info"), nil},
		"CloudWatch, a check":          {cloudWatch(t, "CONTROL_MESSAGE", "", "CWL CONTROL MESSAGE: Checking health of destination"), nil},
		"one of CloudWatch is cut":     {cloudWatch(t, "DATA_MESSAGE", "kube-apiserver-audit-0a1b", event("a"), event("b")[:99]), []string{"a"}},
		"one of CloudWatch is no text": {`{"logEvents":[{"message":1},null,{"message":` + strconv.Quote(event("a")) + `}]}`, []string{"a"}},
		"one line is broken":           {event("a") + "\n{\"kind\":\n" + event("c"), []string{"a", "c"}},
		"one item is broken":           {list(event("a"), `{"auditID":"b"}`, event("c")), []string{"a", "c"}},
		"one of Azure is broken":       {azure(t, "kube-audit", event("a"), "not JSON", event("c")), []string{"a", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			traces, err := e.UnmarshalTraces([]byte(tt.record))
			require.NoError(t, err)
			assert.Equal(t, tt.want, auditIDs(traces))
		})
	}
}

func TestARecordWithoutAnEventIsAnError(t *testing.T) {
	e := newTestExtension(t, extensiontest.NewNopSettings(metadata.Type))
	for record, want := range map[string]string{
		"":                     "it is empty",
		" \n ":                 "it is empty",
		"hello":                "malformed JSON at byte 0",
		`{"kind":"Event"}`:     "auditID is missing",
		`{"records":[{}]}`:     "",
		`{"logEvents":[{}]}`:   "",
		`[1,2]`:                "",
		list(`{"level":"x"}`):  "auditID is missing",
		event("a")[:100]:       "",
		`{"kind":"EventList"}`: "want kind EventList of audit.k8s.io/v1",
	} {
		_, err := e.UnmarshalTraces([]byte(record))
		require.ErrorContains(t, err, "no Kubernetes audit event in a record for cluster prod: ", "%q", record)
		require.ErrorContains(t, err, want, "%q", record)
		_, err = e.UnmarshalLogs([]byte(record))
		require.Error(t, err, "%q", record)
	}
}

func TestLogsGetEveryEvent(t *testing.T) {
	e := newTestExtension(t, extensiontest.NewNopSettings(metadata.Type))
	logs, err := e.UnmarshalLogs([]byte(event("a") + "\n" + read("b")))
	require.NoError(t, err)
	assert.Equal(t, 2, logs.LogRecordCount())
}

func TestMetrics(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	e := newTestExtension(t, metadatatest.NewSettings(telemetry))
	_, err := e.UnmarshalTraces([]byte(event("a") + "\n" + read("b") + "\n{}"))
	require.NoError(t, err)
	_, err = e.UnmarshalTraces([]byte("hello"))
	require.Error(t, err)

	metadatatest.AssertEqualExtensionAuditlogEncodingEventsReceived(t, telemetry, count(3), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionAuditlogEncodingEventsInvalid(t, telemetry, count(1), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionAuditlogEncodingRecordsInvalid(t, telemetry, count(1), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionAuditlogEncodingEventsFiltered(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "verb"))},
	}, metricdatatest.IgnoreTimestamp())
}

func count(n int64) []metricdata.DataPoint[int64] { return []metricdata.DataPoint[int64]{{Value: n}} }

func FuzzRecord(f *testing.F) {
	f.Add([]byte(list(event("a"), "{}")))
	f.Add([]byte(event("a") + "\n" + read("b")))
	f.Add([]byte(`{"records":[{"category":"kube-audit","properties":{"log":"{}"}},null,{"properties":null}]}`))
	f.Add([]byte(`{"messageType":"DATA_MESSAGE","logStream":"kube-apiserver-audit-1","logEvents":[{"message":"{}"},null,{"message":1}]}`))
	config := createDefaultConfig().(*Config)
	config.Cluster = "prod"
	e, err := newExtension(config, extensiontest.NewNopSettings(metadata.Type))
	require.NoError(f, err)
	f.Fuzz(func(_ *testing.T, record []byte) {
		_, _ = e.UnmarshalTraces(record) // what comes from outside does not make it panic
		_, _ = e.UnmarshalLogs(record)
	})
}
