// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/kelemetry/kelemetry/internal/readmetest"
)

func TestReadmeExamplesWork(t *testing.T) { readmetest.Examples(t, "extensions", NewFactory()) }

func TestReadmeNamesEveryOption(t *testing.T) { readmetest.NamesEveryOption(t, createDefaultConfig()) }

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

func TestConfigNeedsADirectory(t *testing.T) {
	require.ErrorContains(t, confmap.Validate(createDefaultConfig()), "directory: must be set")
	config := loadConfig(t, "trace_store")
	require.NoError(t, confmap.Validate(config))
	want := createDefaultConfig().(*Config)
	want.Directory = "/var/lib/kelemetry/traces"
	assert.Equal(t, want, config)
}

func TestConfigReadsEveryOption(t *testing.T) {
	config := loadConfig(t, "trace_store/full")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, "0.0.0.0:4320", config.GRPC.NetAddr.Endpoint)
	assert.Equal(t, RetentionConfig{MaxAge: 48 * time.Hour, MaxSize: 1_000_000_000, CheckInterval: time.Minute}, config.Retention)
	assert.EqualValues(t, 100_000_000, config.MinFree)
	assert.Equal(t, []string{"kelemetry.object.id", "k8s.audit.id"}, config.IndexedAttributes)
	assert.Equal(t, SearchConfig{MaxTracesRead: 1000, MaxOperations: 100}, config.Search)
	assert.Equal(t, MemoryConfig{WriteBuffer: 16_000_000, ReadCache: 32_000_000}, config.Memory)
}

func TestConfigNamesEveryMistakeAtOnce(t *testing.T) {
	err := confmap.Validate(loadConfig(t, "trace_store/wrong"))
	for _, want := range []string{
		"directory: must be set", "grpc::endpoint: must be set", "min_free: must not be negative, got -1", "indexed_attributes::0: must not be empty",
		"retention: max_age: must be at least 1h0m0s", "max_size: must be at least 67108864 bytes, got 1", "check_interval: must be positive, got 0s",
		"search: max_traces_read: must be positive, got 0", "max_operations: must be positive, got -1",
		"memory: write_buffer: must be at least 8388608 bytes, got 1", "read_cache: must be at least 1048576 bytes, got 2",
	} {
		require.ErrorContains(t, err, want)
	}
}
