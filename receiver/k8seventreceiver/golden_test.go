// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the expected output of the golden tests anew")

// Each folder of testdata with an events.yaml is a case: states of Events in, in the order of the watch, traces.yaml out.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "*", "events.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			sink := new(consumertest.TracesSink)
			f := newTestFollower(t, newFakeAPI(), newMemory(), sink, nil)
			require.NoError(t, f.take(t.Context(), readEvents(t, path), operationWatch, isNew, f.refused))
			require.Len(t, sink.AllTraces(), 1)
			got := sink.AllTraces()[0]
			expected := filepath.Join(dir, "traces.yaml")
			if *update {
				require.NoError(t, golden.WriteTracesToFile(expected, got))
			}
			want, err := golden.ReadTraces(expected)
			require.NoError(t, err)
			assert.NoError(t, ptracetest.CompareTraces(want, got))

			encoded, err := new(ptrace.JSONMarshaler).MarshalTraces(got)
			require.NoError(t, err)
			assert.NotContains(t, string(encoded), "hunter2", "a secret")
		})
	}
}

func readEvents(t *testing.T, path string) []item {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var events []eventsv1.Event
	require.NoError(t, yaml.UnmarshalStrict(text, &events))
	items := make([]item, 0, len(events))
	for i := range events {
		items = append(items, item{Event: &events[i]})
	}
	return items
}
