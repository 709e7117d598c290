// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/kelemetry/kelemetry/internal/readmetest"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
)

func TestDefaultConfigNeedsNothing(t *testing.T) {
	cfg := createDefaultConfig()
	require.NoError(t, confmap.New().Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, createDefaultConfig(), cfg)
}

func TestConfigIsRead(t *testing.T) {
	cfg := loadConfig(t, "testdata/config.yaml")
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, &Config{
		Window: 10 * time.Minute, MaxObjects: 5000, MaxDepth: 8, DefaultCluster: "prod",
		Joins: JoinsConfig{Enabled: true, MaxAge: time.Minute, MaxSize: 1_000_000, Tolerance: time.Second, Hold: 3 * time.Second},
		Links: LinksConfig{
			Presets:        []string{"hpa", "karmada"},
			PresetSettings: map[string]links.PresetSettings{"karmada": {Cluster: "karmada-host"}},
			Rules: []links.Rule{{
				Name: "app-of-apps", Match: links.Match{Group: "example.com", Resource: "apps", Namespace: "shop-*", Cluster: "prod"},
				Target: `{"group": "example.com", "resource": "apps", "namespace": object.metadata.namespace, "name": object.spec.parent}`,
				Role:   "parent", Class: "app", Place: true,
			}},
			Linkers: []component.ID{component.MustNewID("example_linker")}, LinkerTimeout: 50 * time.Millisecond,
			ParentAnnotation: "example.com/parent", PlaceParents: true,
			TraceContexts: []string{"example.com/traceparent"}, Lookup: false, MaxPerObject: 10, CostLimit: 1000,
		},
		Tags:           []links.Tag{{Match: links.Match{Resource: "nodes"}, Attribute: "example.zone", Value: `object.metadata.labels["topology.kubernetes.io/zone"]`}},
		Fold:           FoldConfig{Enabled: true, Threshold: 100, MaxTraceSpans: 1000, MaxTracked: 50},
		MultipleOwners: "first", DeletedRetention: 10 * time.Minute,
		Lookup: configoptional.Some(LookupConfig{
			Clusters: component.MustNewIDWithName("kube_clusters", "all"), Timeout: time.Second, MaxConcurrent: 4, NegativeTTL: time.Minute,
		}),
	}, cfg)
}

// TestInvalidConfigs: each file names the errors that it must give, one a line, in its comments.
func TestInvalidConfigs(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid_*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			err = confmap.Validate(loadConfig(t, file))
			require.Error(t, err)
			var want []string
			for line := range strings.Lines(string(content)) {
				if expected, ok := strings.CutPrefix(line, "# error: "); ok {
					want = append(want, strings.TrimSpace(expected))
				}
			}
			assert.Equal(t, strings.Join(want, "\n"), err.Error())
		})
	}
}

// TestReadmeExamples: every YAML block of the README that configures k8slink is a configuration that works.
func TestReadmeExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		raw, err := confmap.NewRetrievedFromYAML([]byte(block[1]))
		require.NoError(t, err)
		conf, err := raw.AsConf()
		require.NoError(t, err)
		processors, err := conf.Sub("processors")
		require.NoError(t, err)
		require.True(t, processors.IsSet("k8slink"), block[1])
		options, err := processors.Sub("k8slink")
		require.NoError(t, err)
		cfg := createDefaultConfig()
		require.NoError(t, options.Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
	}
}

func TestReadmeNamesEveryOption(t *testing.T) { readmetest.NamesEveryOption(t, createDefaultConfig()) }

func loadConfig(t *testing.T, file string) *Config {
	conf, err := confmaptest.LoadConf(file)
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, conf.Unmarshal(cfg))
	return cfg.(*Config)
}
