// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// binary is what `make build` makes, which the make targets that run these tests depend on.
const binary = root + "/bin/kelemetry"

// listing is what the command components prints.
type listing struct {
	BuildInfo struct {
		Command string `yaml:"command"`
		Version string `yaml:"version"`
	} `yaml:"buildinfo"`
	Receivers  []listed `yaml:"receivers"`
	Processors []listed `yaml:"processors"`
	Exporters  []listed `yaml:"exporters"`
	Connectors []listed `yaml:"connectors"`
	Extensions []listed `yaml:"extensions"`
}

type listed struct {
	Name   string `yaml:"name"`
	Module string `yaml:"module"`
}

func (l listing) components() map[string][]listed {
	return map[string][]listed{
		"receiver": l.Receivers, "processor": l.Processors, "exporter": l.Exporters, "connector": l.Connectors, "extension": l.Extensions,
	}
}

func TestBinaryHasTheComponentsOfTheManifest(t *testing.T) {
	var got listing
	require.NoError(t, yaml.Unmarshal([]byte(run(t, binary, "components")), &got))
	want := readManifest(t)
	assert.Equal(t, want.Dist.Name, got.BuildInfo.Command)
	assert.Equal(t, want.Dist.Version, got.BuildInfo.Version)

	for kind, entries := range want.components() {
		modules := map[string]bool{}
		for _, component := range got.components()[kind] {
			modules[component.Module] = true
		}
		for _, entry := range entries {
			assert.True(t, modules[entry.GoMod], "%s %s is not in the binary", kind, entry.GoMod)
		}
		for _, folder := range componentFolders(t, kind) {
			assert.Contains(t, got.components()[kind], listed{Name: readMetadata(t, folder).Type, Module: ownEntry(t, entries, folder).GoMod})
		}
	}
}

// TestBinaryKnowsTheNamesInTheDocs: newer names that replaced ones which still work as aliases.
func TestBinaryKnowsTheNamesInTheDocs(t *testing.T) {
	out := run(t, binary, "components")
	for _, name := range []string{
		"auditlog", "k8slink", "otlp", "kafka", "batch", "memory_limiter", "filter", "transform", "otlp_grpc", "otlp_http", "debug", "file",
		"prometheus", "load_balancing", "signal_to_metrics", "count", "span_metrics", "file_storage", "health_check", "pprof",
		"basicauth", "bearertokenauth", "k8s_leader_elector",
	} {
		assert.Contains(t, out, "name: "+name+"\n")
	}
}

func TestExamplesAreValid(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join(root, "config-examples", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) { run(t, binary, "validate", "--config", example) })
	}
}

// TestComponentsFitIntoSomebodyElsesManifest builds the manifest of docs/custom-distribution.md against this checkout and has
// the result validate the configuration on that page.
func TestComponentsFitIntoSomebodyElsesManifest(t *testing.T) {
	dir := t.TempDir()
	blocks := regexp.MustCompile("(?s)<!-- a test [^>]*-->\n```yaml\n(.*?)```").FindAllStringSubmatch(string(readFile(t, "docs/custom-distribution.md")), -1)
	require.Len(t, blocks, 2, "a manifest and a configuration")
	foreign, config := blocks[0][1], blocks[1][1]

	checkout, err := filepath.Abs(root)
	require.NoError(t, err)
	const output = "output_path: ./my-collector\n"
	require.Contains(t, foreign, output)
	foreign = strings.Replace(foreign, output, "output_path: "+filepath.Join(dir, "my-collector")+"\n", 1)
	foreign += "\nreplaces:\n  - " + ownModule + " => " + checkout + "\n"

	ocb := exec.Command("go", "tool", "-modfile=internal/tools/go.mod", "builder", "--skip-strict-versioning=false",
		"--config", write(t, dir, "manifest.yaml", foreign))
	ocb.Dir = root
	out, err := ocb.CombinedOutput()
	require.NoError(t, err, "%s", out)

	collector := filepath.Join(dir, "my-collector", "my-collector")
	run(t, collector, "validate", "--config", write(t, dir, "config.yaml", config))

	var got listing
	require.NoError(t, yaml.Unmarshal([]byte(run(t, collector, "components")), &got))
	assert.Contains(t, got.Receivers, listed{Name: "auditlog", Module: ownModule + " v0.1.0"})
	assert.Contains(t, got.Processors, listed{Name: "k8slink", Module: ownModule + " v0.1.0"})
}

// run returns what a command prints to its standard output, and fails the test with its standard error if it fails.
func run(t *testing.T, command string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(command, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s\n%s(bin/kelemetry is made by: make build)", command, strings.Join(args, " "), stderr.String())
	return string(out)
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func ownEntry(t *testing.T, entries []module, folder string) module {
	t.Helper()
	for _, entry := range entries {
		if entry.Import == ownModule+"/"+folder {
			return entry
		}
	}
	require.Fail(t, "not in builder-config.yaml", folder)
	return module{}
}
