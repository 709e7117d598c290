// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func load(t *testing.T, file string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(config))
	return config
}

func TestDefaultsAreValid(t *testing.T) {
	assert.NoError(t, confmap.Validate(createDefaultConfig()))
}

func TestConfigIsRead(t *testing.T) {
	config := load(t, "config.yaml")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, component.MustNewIDWithName("kube_clusters", "mine"), config.KubeClusters)
	assert.Equal(t, "prod", config.Cluster)
	assert.Equal(t, []RuleConfig{{Resources: []string{"pods", "*.apps"}, Namespaces: []string{"shop"}, Labels: "tier!=test"}}, config.Include)
	assert.Len(t, config.Exclude, 1)
	assert.Equal(t, 7, config.Diff.MaxChanges)
	assert.Equal(t, 2048, config.Diff.MaxValueSize, "the default stays")
	assert.Equal(t, int64(33554432), config.Memory.MaxStateSize)
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	err := confmap.Validate(load(t, "invalid_everything.yaml"))
	require.Error(t, err)
	for _, want := range []string{
		"namespaces: must be names", "window: ", "discovery_interval: must be at least 1s", "lists::max_concurrent: must be positive", "lists::page_size: ",
		"diff::max_changes: ", "diff::max_value_size: ", "diff::max_size: ", "snapshots::max_size: ", "memory::max_state_size: must be at least 1048576",
		"memory::max_queue_size: ", "set resources, namespaces or labels", "labels: ", "hash_key: ",
	} {
		assert.ErrorContains(t, err, want)
	}
}
