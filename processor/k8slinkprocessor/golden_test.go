// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadata"
)

var update = flag.Bool("update", false, "write expected files anew, from what comes out")

// TestGolden: a case is a folder. input.yaml is a batch; further ones are input_2.yaml and so on. expected.yaml is what
// comes out of each, and tree.txt the picture of it all. config.yaml is optional.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*/input.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, inputs)
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			sink := new(consumertest.TracesSink)
			p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), readConfig(t, dir), sink)
			require.NoError(t, err)
			require.NoError(t, p.Start(t.Context(), nil))
			defer func() { require.NoError(t, p.Shutdown(context.Background())) }()

			further, err := filepath.Glob(filepath.Join(dir, "input_*.yaml"))
			require.NoError(t, err)
			for _, file := range append([]string{input}, further...) {
				td, err := golden.ReadTraces(file)
				require.NoError(t, err)
				require.NoError(t, p.ConsumeTraces(t.Context(), td))
				all := sink.AllTraces()
				compareTraces(t, strings.Replace(file, "input", "expected", 1), all[len(all)-1])
			}
			compareText(t, filepath.Join(dir, "tree.txt"), picture(sink.AllTraces()...))
		})
	}
}

func readConfig(t *testing.T, dir string) component.Config {
	cfg := NewFactory().CreateDefaultConfig()
	file := filepath.Join(dir, "config.yaml")
	if _, err := os.Stat(file); err == nil {
		conf, err := confmaptest.LoadConf(file)
		require.NoError(t, err)
		require.NoError(t, conf.Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
	}
	return cfg
}

func compareTraces(t *testing.T, file string, got ptrace.Traces) {
	t.Helper()
	if *update {
		require.NoError(t, golden.WriteTracesToFile(file, got))
	}
	want, err := golden.ReadTraces(file)
	require.NoError(t, err)
	assert.NoError(t, ptracetest.CompareTraces(want, got,
		ptracetest.IgnoreResourceSpansOrder(), ptracetest.IgnoreScopeSpansOrder(), ptracetest.IgnoreSpansOrder()))
}

func compareText(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}
