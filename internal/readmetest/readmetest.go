// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package readmetest keeps the README of a component equal to its code.
package readmetest // import "github.com/kelemetry/kelemetry/internal/readmetest"

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Examples checks that each YAML block of README.md configures the component, under section such as "receivers", and
// that each of its configurations is valid.
func Examples(t *testing.T, section string, factory component.Factory) {
	t.Helper()
	blocks := yamlBlock.FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, blocks, "README.md has no example")
	for _, block := range blocks {
		raw, err := confmap.NewRetrievedFromYAML([]byte(block[1]))
		require.NoError(t, err, block[1])
		conf, err := raw.AsConf()
		require.NoError(t, err, block[1])
		components, err := conf.Sub(section)
		require.NoError(t, err, block[1])
		require.True(t, components.IsSet(factory.Type().String()), "no %s in %s", factory.Type(), block[1])
		options, err := components.Sub(factory.Type().String())
		require.NoError(t, err, block[1])
		config := factory.CreateDefaultConfig()
		require.NoError(t, options.Unmarshal(config), block[1])
		require.NoError(t, confmap.Validate(config), block[1])
	}
}

// NamesEveryOption checks that README.md names each option of config that this repository declares, in code marks: alone,
// or behind options it is under, joined by "::". Options of other repositories are their documentation's.
func NamesEveryOption(t *testing.T, config component.Config) {
	t.Helper()
	text := readme(t)
	for _, option := range optionsOf(reflect.TypeOf(config).Elem()) {
		assert.True(t, names(text, option), "README.md does not name `%s`", option)
	}
}

// names is true if the text names the option behind any of those that it is under.
func names(text, option string) bool {
	for {
		if strings.Contains(text, "`"+option+"`") {
			return true
		}
		_, below, found := strings.Cut(option, "::")
		if !found {
			return false
		}
		option = below
	}
}

// optionsOf lists the options of a configuration struct, with those of our structs below it.
func optionsOf(config reflect.Type) []string {
	var options []string
	for i := range config.NumField() {
		field := config.Field(i)
		name, flags, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if !field.IsExported() || name == "-" {
			continue
		}
		below := structIn(field.Type)
		switch squash := strings.Contains(flags, "squash"); {
		case squash && below != nil:
			options = append(options, optionsOf(below)...)
		case squash:
		case below == nil:
			options = append(options, name)
		default:
			for _, option := range optionsOf(below) {
				options = append(options, name+"::"+option)
			}
		}
	}
	return options
}

const ours = "github.com/kelemetry/kelemetry/"

// documented are our packages with a README of their own, which tells their options.
var documented = []string{ours + "internal/redact"}

// structIn returns the struct of ours that a type is, points to, lists, maps to or makes optional; nil if there is none.
func structIn(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if get, ok := reflect.PointerTo(t).MethodByName("GetOrInsertDefault"); ok { // configoptional.Optional
		return structIn(get.Type.Out(0))
	}
	if t.Kind() == reflect.Struct && strings.HasPrefix(t.PkgPath(), ours) && !slices.Contains(documented, t.PkgPath()) {
		return t
	}
	return nil
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}
