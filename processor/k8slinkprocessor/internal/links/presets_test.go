// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
)

var update = flag.Bool("update", false, "write expected files anew, from what comes out")

// presetSettings are what presets need in the golden files.
var presetSettings = map[string]PresetSettings{
	"karmada":     {Cluster: "karmada-host"},
	"cluster-api": {Cluster: "management"},
	"vcluster":    {Cluster: "vc-*"},
	"argocd":      {Cluster: "hub", Namespace: "argo"},
}

// TestPresets: objects.yaml of a folder are objects as the API server has them, with cluster and resource in front;
// links.txt is what the preset makes of them.
func TestPresets(t *testing.T) {
	for _, name := range Presets() {
		t.Run(name, func(t *testing.T) {
			preset, err := readPreset(name)
			require.NoError(t, err)
			settings := Settings{Presets: []string{name}, MaxLinks: 64, CostLimit: 100_000}
			if s, ok := presetSettings[name]; ok {
				settings.PresetSettings = map[string]PresetSettings{name: s}
			}
			rules, err := Compile(settings)
			require.NoError(t, err)
			used := map[string]bool{}
			var got strings.Builder
			for _, o := range readObjects(t, filepath.Join("testdata", "presets", name, "objects.yaml")) {
				require.NoError(t, rules.Decode(&o.Object, o.text))
				facts := rules.Evaluate(&o.Object, func(rule string, outcome Outcome, err error) {
					require.NoError(t, err, "%s of %s", rule, o.SpanName())
					if outcome == Found {
						used[rule] = true
					}
				})
				fmt.Fprintln(&got, describe(Target{Object: o.Object.Object}, "prod"))
				for _, l := range facts.Links {
					fmt.Fprintf(&got, "  %s (%s): %s\n", l.Role, l.Rule, describe(l.Target, "prod"))
				}
			}
			for _, rule := range preset.Rules {
				assert.True(t, used[rule.Name], "no object of the test has a link by the rule %s", rule.Name)
			}
			compareText(t, filepath.Join("testdata", "presets", name, "links.txt"), got.String())
		})
	}
}

func describe(t Target, home string) string {
	text := t.GroupResource()
	if t.Object.Resource == "" {
		text = "kind " + t.Kind + "." + t.Group
	}
	text += " " + strings.TrimPrefix(t.Namespace+"/"+t.Name, "/")
	if t.Cluster != home {
		text += " in " + t.Cluster
	}
	if t.UID != "" {
		text += " uid " + t.UID
	}
	return text
}

type testObject struct {
	Object
	text []byte
}

func readObjects(tb testing.TB, file string) []testObject {
	text, err := os.ReadFile(file)
	require.NoError(tb, err)
	var all []testObject
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var content map[string]any
		if err := decoder.Decode(&content); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			require.NoError(tb, err)
		}
		metadata := content["metadata"].(map[string]any)
		group, _ := identity.GroupVersion(content["apiVersion"].(string))
		o := testObject{Object: Object{Object: identity.Object{Cluster: "prod", Group: group, Name: metadata["name"].(string)}}}
		o.Namespace, _ = metadata["namespace"].(string)
		o.Object.Object.Resource = kinds.GuessResource(content["kind"].(string))
		if known, ok := kinds.ByKind(group, content["kind"].(string)); ok {
			o.Object.Object.Resource = known.Resource
		}
		if cluster, ok := content["cluster"].(string); ok {
			o.Cluster = cluster
			delete(content, "cluster")
		}
		o.text, err = json.Marshal(content)
		require.NoError(tb, err)
		all = append(all, o)
	}
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
