// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package readmetest keeps the README of a component equal to its code.
package readmetest // import "github.com/kelemetry/kelemetry/internal/readmetest"

import (
	"os"
	"reflect"
	"regexp"
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

// NamesEveryOption checks that README.md names each option that the package of config declares, in code marks: alone,
// or behind the options it is under, joined by "::". Options of other packages are their documentation's.
func NamesEveryOption(t *testing.T, config component.Config) {
	t.Helper()
	text := readme(t)
	for _, option := range optionsOf(reflect.TypeOf(config).Elem()) {
		names := []string{"`" + option + "`", "`" + option[strings.LastIndex(option, ":")+1:] + "`"}
		assert.True(t, strings.Contains(text, names[0]) || strings.Contains(text, names[1]), "README.md does not name %s", names[0])
	}
}

// optionsOf lists the options of a configuration struct, with those of structs of the same package below it.
func optionsOf(config reflect.Type) []string {
	var options []string
	for i := range config.NumField() {
		field := config.Field(i)
		name, flags, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if !field.IsExported() || strings.Contains(flags, "squash") || name == "-" {
			continue
		}
		below := structIn(field.Type, config.PkgPath())
		if below == nil {
			options = append(options, name)
			continue
		}
		for _, option := range optionsOf(below) {
			options = append(options, name+"::"+option)
		}
	}
	return options
}

// structIn returns the struct of the package that a type is, points to, lists or makes optional; nil if there is none.
func structIn(t reflect.Type, pkgPath string) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if get, ok := reflect.PointerTo(t).MethodByName("GetOrInsertDefault"); ok { // configoptional.Optional
		return structIn(get.Type.Out(0), pkgPath)
	}
	if t.Kind() == reflect.Struct && t.PkgPath() == pkgPath {
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
