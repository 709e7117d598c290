// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
)

// LinksConfig says how objects are linked to objects that do not own them.
type LinksConfig struct {
	// Presets are the names of shipped rules.
	Presets []string `mapstructure:"presets"`

	// PresetSettings are for presets that need to know more than objects tell, by name of the preset.
	PresetSettings map[string]links.PresetSettings `mapstructure:"preset_settings"`

	// Rules are rules of your own.
	Rules []links.Rule `mapstructure:"rules"`

	// Linkers are extensions that find links.
	Linkers []component.ID `mapstructure:"linkers"`

	// LinkerTimeout is how long a batch waits for a linker to answer about an object.
	LinkerTimeout time.Duration `mapstructure:"linker_timeout"`

	// ParentAnnotation is the annotation by which an object names another one as its parent. Empty for none.
	ParentAnnotation string `mapstructure:"parent_annotation"`

	// PlaceParents puts an object without an owner under the one that its ParentAnnotation names.
	PlaceParents bool `mapstructure:"place_parents"`

	// TraceContexts are annotations in which people leave a trace context; the object's span links to it.
	TraceContexts []string `mapstructure:"trace_contexts"`

	// Lookup has objects looked up that a rule is for and that no span has shown whole, if Config.Lookup is set.
	Lookup bool `mapstructure:"lookup"`

	// MaxPerObject bounds the links of an object.
	MaxPerObject int `mapstructure:"max_per_object"`

	// CostLimit bounds what the evaluation of one expression may cost, in the unit of CEL: about one for each step.
	CostLimit uint64 `mapstructure:"cost_limit"`
}

func (c *Config) rules() (*links.Rules, error) {
	return links.Compile(links.Settings{
		Presets: c.Links.Presets, PresetSettings: c.Links.PresetSettings, Rules: c.Links.Rules, Tags: c.Tags,
		ParentAnnotation: c.Links.ParentAnnotation, PlaceParents: c.Links.PlaceParents, TraceContexts: c.Links.TraceContexts,
		MaxLinks: c.Links.MaxPerObject, CostLimit: c.Links.CostLimit,
	})
}

func defaultLinks() LinksConfig {
	return LinksConfig{
		Presets:          []string{"endpointslice", "hpa", "ingress", "node", "pvc"},
		LinkerTimeout:    100 * time.Millisecond,
		ParentAnnotation: "kelemetry.kubewharf.io/parent-link",
		TraceContexts:    []string{"tracing.k8s.io/traceparent", "tekton.dev/pipelinerunSpanContext", "tekton.dev/taskrunSpanContext"},
		Lookup:           true,
		MaxPerObject:     64,
		CostLimit:        100_000,
	}
}

func (c *Config) compiles() error {
	_, err := c.rules()
	return err
}

const (
	maxMaxPerObject = 1000
	maxCostLimit    = 10_000_000
)

func (c *LinksConfig) validate() error {
	var errs error
	if c.LinkerTimeout <= 0 || c.LinkerTimeout > time.Minute {
		errs = errors.Join(errs, fmt.Errorf("links::linker_timeout: must be over 0 and at most 1m, got %s", c.LinkerTimeout))
	}
	if c.MaxPerObject < 1 || c.MaxPerObject > maxMaxPerObject {
		errs = errors.Join(errs, fmt.Errorf("links::max_per_object: must be between 1 and %d, got %d", maxMaxPerObject, c.MaxPerObject))
	}
	if c.CostLimit < 1 || c.CostLimit > maxCostLimit {
		errs = errors.Join(errs, fmt.Errorf("links::cost_limit: must be between 1 and %d, got %d", maxCostLimit, c.CostLimit))
	}
	if slices.Contains(c.TraceContexts, "") {
		errs = errors.Join(errs, errors.New("links::trace_contexts: an annotation must not be empty"))
	}
	return errs
}
