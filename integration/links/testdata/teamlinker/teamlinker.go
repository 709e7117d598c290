// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package teamlinker is an example of an extension that finds links: it links the Deployments of a namespace to the team that
// answers for it. A team is no object of the cluster; its span gathers what belongs to it.
package teamlinker

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/linker"
)

// Config is the extension's configuration.
type Config struct {
	// Teams are the names of teams, by namespace.
	Teams map[string]string `mapstructure:"teams"`
}

// Validate implements xconfmap.Validator.
func (c *Config) Validate() error {
	if len(c.Teams) == 0 {
		return errors.New("teams: name the team of at least one namespace")
	}
	return nil
}

// NewFactory is what ocb calls.
func NewFactory() extension.Factory {
	return extension.NewFactory(component.MustNewType("team_linker"), func() component.Config { return &Config{} }, create,
		component.StabilityLevelDevelopment)
}

func create(_ context.Context, _ extension.Settings, cfg component.Config) (extension.Extension, error) {
	return &teamLinker{teams: cfg.(*Config).Teams}, nil
}

type teamLinker struct {
	component.StartFunc
	component.ShutdownFunc

	teams map[string]string
}

var _ linker.Linker = (*teamLinker)(nil)

// Links implements linker.Linker.
func (t *teamLinker) Links(_ context.Context, object linker.Object) ([]linker.Link, error) {
	team, ok := t.teams[object.Namespace]
	if !ok || object.Group != "apps" || object.Resource != "deployments" {
		return nil, nil
	}
	return []linker.Link{{Group: "example.com", Resource: "teams", Kind: "Team", Name: team, Role: "team"}}, nil
}
