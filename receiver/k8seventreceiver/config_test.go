// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
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

func TestConfigWithoutOptionsReadsTheOnlyCluster(t *testing.T) {
	config := loadConfig(t, "k8sevent")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, component.MustNewID("kube_clusters"), config.KubeClusters)
	assert.Empty(t, config.Cluster)
	assert.Empty(t, config.Namespaces)
	assert.Equal(t, 30*time.Minute, config.Window)
	assert.Equal(t, time.Hour, config.MaxAge)
	assert.Nil(t, config.Storage)
	assert.Nil(t, config.LeaderElector)
	assert.Zero(t, config.Retry.MaxElapsedTime)
}

func TestConfigReadsEveryOption(t *testing.T) {
	config := loadConfig(t, "k8sevent/full")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, component.MustNewIDWithName("kube_clusters", "other"), config.KubeClusters)
	assert.Equal(t, "prod", config.Cluster)
	assert.Equal(t, []string{"default", "shop"}, config.Namespaces)
	assert.Equal(t, 15*time.Minute, config.Window)
	assert.Equal(t, component.MustNewID("file_storage"), *config.Storage)
	assert.Equal(t, 10*time.Minute, config.MaxAge)
	assert.Equal(t, component.MustNewID("k8s_leader_elector"), *config.LeaderElector)
	assert.True(t, config.WarningsAsErrors)
	assert.Equal(t, 50, config.BatchSize)
	assert.Equal(t, 1000, config.TrackedEvents)
	assert.Equal(t, time.Minute, config.Retry.MaxElapsedTime)
	assert.False(t, config.Redaction.Messages)
	assert.Equal(t, []RuleConfig{{Types: []string{"Warning"}}}, config.Filter.Include)
	assert.Equal(t, []RuleConfig{{
		Namespaces: []string{"kube-*"}, Kinds: []string{"Pod"}, Names: []string{"a*"}, Reasons: []string{"Pulled"},
		Controllers: []string{"kubelet"},
	}}, config.Filter.Exclude)
}

func TestConfigNamesEveryMistakeAtOnce(t *testing.T) {
	err := confmap.Validate(loadConfig(t, "k8sevent/wrong"))
	for _, want := range []string{
		`namespaces[0]: must be the name of a namespace, got "kube-*"`,
		`namespaces[2]: "a" is listed twice`,
		`window: must be whole seconds and at least 1m`,
		`max_age: must not be negative`,
		`batch_size: must be positive`,
		`tracked_events: must be positive`,
		`hash_key: must be empty or at least 16 bytes`,
	} {
		require.ErrorContains(t, err, want)
	}
	empty := createDefaultConfig().(*Config)
	empty.KubeClusters = component.ID{}
	require.ErrorContains(t, confmap.Validate(empty), "kube_clusters: name the extension")
}
