// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the expected output of the golden tests anew")

// Each folder of testdata with an audit.yaml is a case: audit events in, traces.yaml and logs.yaml out. The filter of its
// config.yaml, if it has one, is other than the default.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "*", "audit.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			body := eventListOf(t, path)
			traces, logs := convertOnce(t, body, configOf(t, dir))
			if *update {
				require.NoError(t, golden.WriteTracesToFile(filepath.Join(dir, "traces.yaml"), traces))
				require.NoError(t, golden.WriteLogsToFile(filepath.Join(dir, "logs.yaml"), logs))
			}
			wantTraces, err := golden.ReadTraces(filepath.Join(dir, "traces.yaml"))
			require.NoError(t, err)
			assert.NoError(t, ptracetest.CompareTraces(wantTraces, traces))
			wantLogs, err := golden.ReadLogs(filepath.Join(dir, "logs.yaml"))
			require.NoError(t, err)
			assert.NoError(t, plogtest.CompareLogs(wantLogs, logs))
			requireNoSecret(t, traces, logs)
		})
	}
}

func configOf(tb testing.TB, dir string) func(*Config) {
	tb.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join(dir, "config.yaml"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(tb, err)
	filter, err := conf.Sub("filter")
	require.NoError(tb, err)
	return func(config *Config) { require.NoError(tb, filter.Unmarshal(&config.Filter)) }
}

// eventListOf reads audit events that are written in YAML, for their readers' sake.
func eventListOf(tb testing.TB, path string) []byte {
	tb.Helper()
	text, err := os.ReadFile(path)
	require.NoError(tb, err)
	var items []map[string]any
	require.NoError(tb, yaml.Unmarshal(text, &items))
	body, err := json.Marshal(map[string]any{"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": items})
	require.NoError(tb, err)
	return body
}

// Spans and log records count what was replaced in each.
func TestRedactedValuesAreCountedInBothSignals(t *testing.T) {
	b := newTestBatch(t, nil)
	defer b.Release()
	require.NoError(t, b.AddList(eventListOf(t, filepath.Join("testdata", "secrets", "audit.yaml"))))
	assert.Positive(t, b.maker.redacted)
	assert.Positive(t, b.records.redacted)
	assert.EqualValues(t, b.maker.redacted+b.records.redacted, b.Redacted())
}

func newTestBatch(tb testing.TB, change func(*Config)) *Batch {
	tb.Helper()
	config := NewDefaultConfig()
	if change != nil {
		change(&config)
	}
	require.NoError(tb, config.Validate())
	converter, err := New(config, Scope{Name: "github.com/kelemetry/kelemetry/receiver/auditlogreceiver", Version: "latest"})
	require.NoError(tb, err)
	return converter.NewBatch("prod", Signals{Traces: true, Logs: true, OnInvalid: func(err error) { tb.Error(err) }})
}

func convertOnce(tb testing.TB, body []byte, change func(*Config)) (ptrace.Traces, plog.Logs) {
	tb.Helper()
	b := newTestBatch(tb, change)
	defer b.Release()
	require.NoError(tb, b.AddList(body))
	return b.Traces(), b.Logs()
}

// secrets stand in the inputs wherever something is secret: plain, and in base64 as Secrets hold it.
var secrets = []string{"hunter2", "aHVudGVyMg"}

func requireNoSecret(tb testing.TB, traces ptrace.Traces, logs plog.Logs) {
	tb.Helper()
	for _, encoded := range [][]byte{encode(tb, traces), encodeLogs(tb, logs)} {
		for _, secret := range secrets {
			require.NotContains(tb, string(encoded), secret)
		}
	}
}

func encode(tb testing.TB, traces ptrace.Traces) []byte {
	tb.Helper()
	encoded, err := new(ptrace.JSONMarshaler).MarshalTraces(traces)
	require.NoError(tb, err)
	return encoded
}

func encodeLogs(tb testing.TB, logs plog.Logs) []byte {
	tb.Helper()
	encoded, err := new(plog.JSONMarshaler).MarshalLogs(logs)
	require.NoError(tb, err)
	return encoded
}
