// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/internal/readmetest"
)

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

func TestConfigNeedsABackend(t *testing.T) {
	config := loadConfig(t, "jaeger_plugin")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, "localhost:17271", config.GRPC.NetAddr.Endpoint)
	assert.False(t, config.HTTP.HasValue())
	assert.Equal(t, "jaeger-storage:17271", config.Backend.GRPC.Get().Endpoint)
	assert.Equal(t, mode.DefaultConfig(), config.Config)

	require.ErrorContains(t, confmap.Validate(createDefaultConfig()), "backend: set one of grpc")
}

func TestConfigReadsEveryOption(t *testing.T) {
	config := loadConfig(t, "jaeger_plugin/full")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, "0.0.0.0:17272", config.GRPC.NetAddr.Endpoint)
	assert.True(t, config.GRPC.TLS.HasValue())
	web := config.HTTP.Get()
	assert.Equal(t, "0.0.0.0:8082", web.NetAddr.Endpoint)
	assert.Equal(t, "https://jaeger.example.com/ui", web.JaegerURL)
	assert.Equal(t, 2*time.Hour, web.Range)
	assert.False(t, config.Backend.GRPC.HasValue())
	assert.Equal(t, component.MustNewID("trace_store"), *config.Backend.Extension)
	assert.Equal(t, 16, config.Backend.MaxRecvMsgSizeMiB)
	assert.Equal(t, []string{"prod", "stage"}, config.Clusters)
	assert.Equal(t, 15*time.Minute, config.Window)
	assert.Equal(t, SearchConfig{Lookback: 2 * time.Hour, MaxTraces: 10, MaxResults: 11}, config.Search)
	assert.Equal(t, LimitsConfig{
		Requests: 1, Timeout: 2 * time.Second, Sending: 2, SendTimeout: 3 * time.Second, Concurrency: 3, Traces: 4, Spans: 5, Lookups: 6, Objects: 7, Linked: 8, Entries: 9,
	}, config.Limits)

	apiserver := config.Tracers["apiserver"]
	assert.Equal(t, "jaeger:17271", apiserver.GRPC.Endpoint)
	assert.Equal(t, "apiserver", apiserver.Service)
	assert.Equal(t, map[string]string{"audit-id": "{k8s.audit.id}"}, apiserver.Tags)
	assert.Equal(t, TracerLimits{Queries: 1, Traces: 2, Spans: 3, Concurrency: 4, Timeout: 5 * time.Second}, apiserver.Limits)
	assert.Equal(t, 100, loadConfig(t, "jaeger_plugin/wrong").Tracers["usual"].Limits.Queries, "the default")

	modes, err := mode.NewSet(config.Config)
	require.NoError(t, err)
	assert.Equal(t, "brief", modes.Default().Name)
	m, ok := modes.ByID(0x40000001)
	require.True(t, ok)
	assert.Equal(t, "brief [close]", m.Name)
	_, err = modes.ByName("tracing [ancestors]")
	require.NoError(t, err, "the built-in ones stay")
	_, err = modes.ByName("timeline")
	require.Error(t, err)
}

func TestConfigNamesEveryMistakeAtOnce(t *testing.T) {
	err := confmap.Validate(loadConfig(t, "jaeger_plugin/wrong"))
	for _, want := range []string{
		"grpc::endpoint: say where", "http: jaeger_url: must be", "range: must be positive", "backend: set one of grpc",
		"max_recv_msg_size_mib: must be positive, got 0", "clusters::0: a cluster's name", "window: must be whole seconds",
		`default_mode: there is no mode "none"`, "search: lookback: must be positive", "max_traces: must be", "max_results: must be",
		"limits: requests: must be positive", "timeout: must be positive, got 0s", "concurrency: must be", "traces: must be", "spans: must be",
		"lookups: must not be negative, got -1", `modifiers::none::tracers: there is no "nobody" below tracers`,
		"tracers::empty: grpc::endpoint: say where", "service: say whose spans", `tags::a: "b" names no attribute`, "queries: must be positive",
		"tracers::both: grpc: set either", "service, tags: are for grpc", `http::endpoint: "http://jaeger:16686/" names no attribute`,
		"tracers::usual: service: say whose spans", "tags: say what to look for", "objects: must be", "linked: must not be", "entries: must be",
	} {
		require.ErrorContains(t, err, want)
	}
	err = confmap.Validate(loadConfig(t, "jaeger_plugin/two_backends"))
	require.ErrorContains(t, err, "set one of grpc")
	require.ErrorContains(t, err, "backend: ")
}

func TestReadme(t *testing.T) {
	readmetest.Examples(t, "extensions", NewFactory())
	readmetest.NamesEveryOption(t, createDefaultConfig())
}
