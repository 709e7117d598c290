// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.yaml.in/yaml/v3"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"
)

var update = flag.Bool("update", false, "write expected files anew, from what comes out")

// goldenCase is a file stored.yaml: what is stored, and which views of it are expected.
type goldenCase struct {
	Views []struct {
		Name string      `yaml:"name"`
		Of   string      `yaml:"of"`
		Mode string      `yaml:"mode"`
		From timeOfDay   `yaml:"from"`
		To   timeOfDay   `yaml:"to"`
		Only []mode.Step `yaml:"only"` // the steps of the mode instead of its own
		Lift []string    `yaml:"lift"` // what the step lift is about, which is added
		// Limits are as the package's.
		MaxObjects int `yaml:"max_objects"`
		MaxLinked  int `yaml:"max_linked"`
		MaxEntries int `yaml:"max_entries"`
		// YAML is set where the picture does not show what matters.
		YAML bool `yaml:"yaml"`
	} `yaml:"views"`
	Spans []storedtest.Span `yaml:"spans"`
}

// timeOfDay is a time on the day of all spans.
type timeOfDay string

func (at timeOfDay) time(t *testing.T) (parsed time.Time) {
	t.Helper()
	if at != "" {
		var err error
		parsed, err = time.Parse(time.DateTime, storedtest.Noon.Format(time.DateOnly)+" "+string(at))
		require.NoError(t, err)
	}
	return parsed
}

// TestGolden: a case is a folder. stored.yaml has the spans, in the short form of package storedtest, and the views that are
// expected of them. Of each view, <name>.txt is the picture, and <name>.yaml the displayed trace.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*/stored.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		var c goldenCase
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		decoder := yaml.NewDecoder(strings.NewReader(string(content)))
		decoder.KnownFields(true)
		require.NoError(t, decoder.Decode(&c), file)
		for _, v := range c.Views {
			name := strings.TrimSuffix(file, "stored.yaml") + v.Name
			t.Run(strings.TrimPrefix(name, "testdata/"), func(t *testing.T) {
				m := modeNamed(t, v.Mode)
				if v.Only != nil {
					m.Steps = v.Only
				}
				if v.Lift != nil {
					m.LiftFrom, m.Steps = v.Lift, append(slices.Clone(m.Steps), mode.Lift)
				}
				var batches []ptrace.Traces
				for _, s := range c.Spans {
					batches = append(batches, s.Traces())
				}
				g := graphOf(batches...)
				got := Render(g, storedtest.ID(v.Of), m, Options{
					TraceID: asked, DisplayID: displayID, From: v.From.time(t), To: v.To.time(t),
					Limits: Limits{MaxObjects: v.MaxObjects, MaxLinked: v.MaxLinked, MaxEntries: v.MaxEntries},
				})
				requireWellFormed(t, got)
				var picture strings.Builder
				require.NoError(t, text.Write(&picture, got, text.Options{}))
				comparePicture(t, name+".txt", picture.String())
				if v.YAML {
					compareTraces(t, name+".yaml", got)
				}
			})
		}
	}
}

func comparePicture(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
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
