// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var update = flag.Bool("update", false, "write the expected output of the golden tests anew")

// step is one of: what the case is about, a list, or an event of a watch.
type step struct {
	Config                         map[string]any
	Group, Version, Resource, Kind string
	List                           *[]map[string]any
	Added, Modified, Deleted       map[string]any
}

// Each folder of testdata with an events.yaml is a case: what an API server sends in, traces.yaml out.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "*", "events.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			traces := play(t, path).batch.Traces()
			if *update {
				require.NoError(t, golden.WriteTracesToFile(filepath.Join(dir, "traces.yaml"), traces))
			}
			want, err := golden.ReadTraces(filepath.Join(dir, "traces.yaml"))
			require.NoError(t, err)
			assert.NoError(t, ptracetest.CompareTraces(want, traces))
			for _, secret := range []string{"hunter2", "aHVudGVyMg"} {
				assert.NotContains(t, encode(t, traces), secret)
			}
		})
	}
}

func play(t *testing.T, path string) *rig {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var steps []step
	require.NoError(t, yaml.Unmarshal(text, &steps))
	config := createDefaultConfig().(*Config)
	about := deployments
	var r *rig
	for _, s := range steps {
		switch {
		case s.Config != nil:
			require.NoError(t, confmap.NewFromStringMap(s.Config).Unmarshal(config))
			continue
		case s.Resource != "":
			about = target{GroupVersionResource: schema.GroupVersionResource{Group: s.Group, Version: s.Version, Resource: s.Resource}, Kind: s.Kind}
			continue
		case r == nil:
			r = newRig(t, config, about)
		}
		switch {
		case s.List != nil:
			var objects []string
			for _, object := range *s.List {
				objects = append(objects, jsonOf(t, object))
			}
			r.list(t, objects...)
		case s.Added != nil:
			require.NoError(t, r.Add(r.item(t, jsonOf(t, s.Added), false)))
		case s.Modified != nil:
			require.NoError(t, r.Update(r.item(t, jsonOf(t, s.Modified), false)))
		case s.Deleted != nil:
			require.NoError(t, r.Delete(r.item(t, jsonOf(t, s.Deleted), false)))
		}
	}
	return r
}
