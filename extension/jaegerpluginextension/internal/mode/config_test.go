// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package mode

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func loadConfig(t *testing.T, file, section string) Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	if section != "" {
		conf, err = conf.Sub(section)
		require.NoError(t, err)
	}
	config := DefaultConfig()
	require.NoError(t, conf.Unmarshal(&config))
	return config
}

func TestWithoutConfigurationTheBuiltInModesAreThere(t *testing.T) {
	config := loadConfig(t, "config.yaml", "default")
	require.NoError(t, confmap.Validate(&config))
	assert.Equal(t, DefaultConfig(), config)
}

func TestConfigurationAddsReplacesAndDisables(t *testing.T) {
	config := loadConfig(t, "config.yaml", "full")
	require.NoError(t, confmap.Validate(&config))
	set, err := NewSet(config)
	require.NoError(t, err)

	audit := Mode{
		ID: 0x00a00000, Name: "audit", Steps: []Step{PruneEmpty, EntriesAsSpans, Shrink, Lift},
		CopyAttributes: []string{"k8s.node.name", "user.name"}, LiftFrom: []string{"replicasets"},
	}
	assert.Equal(t, audit, set.Default())

	scaling, err := set.ByName("audit [scaling]")
	require.NoError(t, err)
	assert.Equal(t, Scope{Links: 2, LinkClasses: []string{"scaling"}}, scaling.Scope)
	assert.Equal(t, uint32(0x00a00001), scaling.ID)

	tree, err := set.ByName("tracing [full tree]")
	require.NoError(t, err)
	assert.Equal(t, Scope{Owners: 5, Owned: 5, FromTop: true}, tree.Scope)

	_, err = set.ByName("timeline")
	assert.EqualError(t, err, `there is no display mode "timeline", but audit, grouped, tracing and tree`)
}

func TestValidateReportsEverythingAtOnceAndNamesTheKey(t *testing.T) {
	config := loadConfig(t, "invalid_everything.yaml", "")
	assert.Equal(t, strings.TrimSpace(`
modifiers::far::owners: must be between 0 and 16, got -1
modifiers::far::owned: must be between 0 and 16, got 17
modifiers::idle: must have one of owners, owned, links and tracers
modifiers::none::id: must have a bit
modifiers::taken::id: has a bit of that of "ancestors"
default_mode: there is no mode "nothing", but bit, grouped, in [brackets], lifted, same, short, steps, timeline, tracing and tree
modes::bit::id: has a bit of that of the modifier "ancestors"
modes::in [brackets]: a name must not be empty, nor have brackets, commas or spaces around it
modes::lifted: the step lift and lift_from need each other
modes::short::id: must be 8 hex digits in quotes, such as "20000000", got "2"
modes::steps::steps: there is no step "jump", but join_versions, copy_attributes, prune_empty, lift, cluster_in_front, flatten, group_by_source, entries_as_spans, shrink, times_in_name and pad_root
modes::steps::steps: entries_as_spans and group_by_source exclude each other
modes::tracing::id: is that of "same"`), config.Validate().Error())
}
