// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kelemetry/kelemetry/internal/identity"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// Preset is a shipped list of rules.
type Preset struct {
	// About says in one line what it links.
	About string
	// Needs lists the settings without which it cannot be used.
	Needs []string
	// Defaults are settings of its own.
	Defaults map[string]string
	Rules    []Rule
}

// The settings of a preset, as expressions have them.
const (
	settingCluster   = "cluster"
	settingNamespace = "namespace"
)

// Presets lists the names of all presets in alphabetical order.
func Presets() []string {
	files, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic(err) // they are part of the program
	}
	names := make([]string, 0, len(files))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), ".yaml"))
	}
	return names
}

func readPreset(name string) (Preset, error) {
	if !slices.Contains(Presets(), name) {
		return Preset{}, fmt.Errorf("there is no preset %q; there are %s", name, strings.Join(Presets(), ", "))
	}
	text, err := presetFiles.ReadFile(path.Join("presets", name+".yaml"))
	if err != nil {
		return Preset{}, err
	}
	var p Preset
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&p); err != nil {
		return Preset{}, fmt.Errorf("reading the preset %s: %w", name, err)
	}
	return p, nil
}

// settings are the preset's own, with what the user gave.
func (p *Preset) settings(name string, given PresetSettings) (map[string]string, error) {
	all := map[string]string{settingCluster: "", settingNamespace: ""}
	for key, value := range p.Defaults {
		all[key] = value
	}
	if given.Cluster != "" {
		all[settingCluster] = given.Cluster
	}
	if given.Namespace != "" {
		all[settingNamespace] = given.Namespace
	}
	for _, key := range p.Needs {
		if all[key] == "" {
			return nil, fmt.Errorf("links::preset_settings::%s::%s: the preset %s needs it: %s", name, key, name, p.About)
		}
	}
	if cluster := strings.ReplaceAll(all[settingCluster], "*", "x"); cluster != "" {
		if err := identity.ValidateCluster(cluster); err != nil {
			return nil, fmt.Errorf("links::preset_settings::%s::cluster: %w", name, err)
		}
	}
	return all, nil
}
