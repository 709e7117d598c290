// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package distribution tests what ocb makes of builder-config.yaml: that the manifest has what the repository has, and, with
// the build tag integration, that bin/kelemetry is what the manifest says.
package distribution

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	root      = "../.."
	ownModule = "github.com/kelemetry/kelemetry"
)

// manifest is the part of an ocb manifest that these tests read.
type manifest struct {
	Dist struct {
		Name    string `yaml:"name"`
		Version string `yaml:"version"`
	} `yaml:"dist"`
	Receivers  []module `yaml:"receivers"`
	Processors []module `yaml:"processors"`
	Exporters  []module `yaml:"exporters"`
	Connectors []module `yaml:"connectors"`
	Extensions []module `yaml:"extensions"`
	Providers  []module `yaml:"providers"`
}

type module struct {
	GoMod  string `yaml:"gomod"`
	Import string `yaml:"import"`
}

func (m module) path() string    { p, _, _ := strings.Cut(m.GoMod, " "); return p }
func (m module) version() string { _, v, _ := strings.Cut(m.GoMod, " "); return v }

// components returns the entries by the folder that components of their kind live in.
func (m manifest) components() map[string][]module {
	return map[string][]module{
		"receiver": m.Receivers, "processor": m.Processors, "exporter": m.Exporters, "connector": m.Connectors, "extension": m.Extensions,
	}
}

func (m manifest) all() []module {
	return slices.Concat(m.Receivers, m.Processors, m.Exporters, m.Connectors, m.Extensions, m.Providers)
}

func readManifest(t *testing.T) manifest {
	t.Helper()
	var m manifest
	require.NoError(t, yaml.Unmarshal(readFile(t, "builder-config.yaml"), &m))
	return m
}

func TestManifestHasEveryComponentFolderAndNoOther(t *testing.T) {
	for kind, entries := range readManifest(t).components() {
		var listed []string
		for _, entry := range entries {
			if entry.path() == ownModule {
				listed = append(listed, strings.TrimPrefix(entry.Import, ownModule+"/"))
			}
		}
		assert.ElementsMatch(t, componentFolders(t, kind), listed, "%ss of builder-config.yaml, and folders with a factory below %s/", kind, kind)
	}
}

func TestVersionsAreThoseOfGoMod(t *testing.T) {
	required := requirements(t, ".")
	shared := 0
	for _, entry := range readManifest(t).all() {
		if version, ok := required[entry.path()]; ok {
			shared++
			assert.Equal(t, version, entry.version(), "builder-config.yaml and go.mod disagree on %s", entry.path())
		}
	}
	t.Logf("%d modules are named by both", shared)
}

// TestOneCollectorVersion: the Collector releases its modules together, and only modules of one release are known to work together.
func TestOneCollectorVersion(t *testing.T) {
	const collector = "go.opentelemetry.io/collector/"
	tools := requirements(t, "internal/tools")
	beta, stable := tools[collector+"cmd/builder"], tools[collector+"pdata"]
	require.NotEmpty(t, beta)
	require.NotEmpty(t, stable)
	assert.Equal(t, beta, tools[collector+"cmd/mdatagen"])

	versions := requirements(t, ".")
	for _, entry := range readManifest(t).all() {
		versions[entry.path()] = entry.version()
	}
	for name, version := range versions {
		if strings.HasPrefix(name, collector) {
			assert.Contains(t, []string{beta, stable}, version, "%s is not of the Collector's release %s/%s", name, stable, beta)
		}
	}
}

// interfacePackages are what components may import of other components.
var interfacePackages = []string{ownModule + "/extension/kubeclustersextension/kubecluster"}

// TestEachComponentHasItsImportRule: depguard keeps components from importing each other, but only where it is told to look.
func TestEachComponentHasItsImportRule(t *testing.T) {
	type rule struct {
		ListMode string   `yaml:"list-mode"`
		Files    []string `yaml:"files"`
		Allow    []string `yaml:"allow"`
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]rule `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	require.NoError(t, yaml.Unmarshal(readFile(t, ".golangci.yaml"), &config))
	for kind := range readManifest(t).components() {
		for _, folder := range componentFolders(t, kind) {
			got := config.Linters.Settings.Depguard.Rules[path.Base(folder)]
			// What a component gives to others is in a package of its own for that, and nothing else of it may be imported.
			got.Allow = slices.DeleteFunc(got.Allow, func(pkg string) bool { return slices.Contains(interfacePackages, pkg) })
			want := rule{ListMode: "lax", Files: []string{"**/" + folder + "/**"}, Allow: []string{ownModule + "/" + folder}}
			assert.Equal(t, want, got, ".golangci.yaml, depguard rule of %s", folder)
		}
	}
}

// TestReadmeListsEveryComponent with its type, signals and stability, as metadata.yaml has them.
func TestReadmeListsEveryComponent(t *testing.T) {
	readme := string(readFile(t, "README.md"))
	for kind := range readManifest(t).components() {
		for _, folder := range componentFolders(t, kind) {
			about := readMetadata(t, folder)
			for stability, signals := range about.Status.Stability {
				cells := []string{"[" + path.Base(folder) + "](" + folder + "/README.md)", "`" + about.Type + "`", strings.Join(signals, ", ")}
				begin, end := "\n| "+strings.Join(cells, " | ")+" | ", " | "+stability+" |\n"
				if _, row, found := strings.Cut(readme, begin); !found || !strings.Contains(row[:strings.Index(row, "\n")+1], end) {
					t.Errorf("README.md has no row %s … %s", strings.TrimSpace(begin), strings.TrimSpace(end))
				}
			}
		}
	}
}

// metadata is the part of a metadata.yaml that these tests read.
type metadata struct {
	Type   string `yaml:"type"`
	Status struct {
		Stability map[string][]string `yaml:"stability"`
	} `yaml:"status"`
}

func readMetadata(t *testing.T, folder string) metadata {
	t.Helper()
	var m metadata
	require.NoError(t, yaml.Unmarshal(readFile(t, path.Join(folder, "metadata.yaml")), &m))
	require.NotEmpty(t, m.Type)
	return m
}

// componentFolders returns the folders below kind that hold a factory, relative to the repository.
func componentFolders(t *testing.T, kind string) []string {
	t.Helper()
	factory := regexp.MustCompile(`(?m)^func NewFactory\(\)`)
	var folders []string
	err := filepath.WalkDir(filepath.Join(root, kind), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".go" {
			return err
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if factory.Match(source) {
			folder, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return err
			}
			folders = append(folders, filepath.ToSlash(folder))
		}
		return nil
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return folders
}

// requirements returns the versions that the go.mod of a folder requires.
func requirements(t *testing.T, folder string) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = filepath.Join(root, folder)
	out, err := cmd.Output()
	require.NoError(t, err)
	var parsed struct {
		Require []struct{ Path, Version string }
	}
	require.NoError(t, json.Unmarshal(out, &parsed))
	versions := map[string]string{}
	for _, r := range parsed.Require {
		versions[r.Path] = r.Version
	}
	require.NotEmpty(t, versions)
	return versions
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return content
}

// TestExamplesListenOnLocalhost: to be reached from elsewhere, and by whom, is for the user to say.
func TestExamplesListenOnLocalhost(t *testing.T) {
	listens := regexp.MustCompile(`(?m)^ +endpoint: *(?:\$\{env:\w+:-)?([^\s}]*)`)
	examples, err := filepath.Glob(filepath.Join(root, "config-examples", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, example := range examples {
		text, err := os.ReadFile(example)
		require.NoError(t, err)
		for _, found := range listens.FindAllStringSubmatch(string(text), -1) {
			assert.Regexp(t, `^(https?://)?localhost(:|$)`, found[1], example)
		}
	}
}
