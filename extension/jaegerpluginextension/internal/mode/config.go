// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package mode // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"

import (
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// Config has the display modes and modifiers by name. An entry with the name of a built-in one takes its place.
type Config struct {
	// DefaultMode is the name of the mode that comes first in lists and that is taken where none is asked for.
	DefaultMode string `mapstructure:"default_mode"`

	// Modes are the display modes by name.
	Modes map[string]ModeConfig `mapstructure:"modes"`

	// Modifiers are what can be combined with every mode, by name.
	Modifiers map[string]ModifierConfig `mapstructure:"modifiers"`
}

// ModeConfig is one display mode.
type ModeConfig struct {
	// ID is the mode in trace IDs: eight hex digits, in quotes, with no bit that a modifier has.
	ID string `mapstructure:"id"`

	// Steps are what the mode does to what is shown, in any order.
	Steps []Step `mapstructure:"steps"`

	// CopyAttributes are the attributes of entries that the step copy_attributes copies to the object. The newest value counts.
	CopyAttributes []string `mapstructure:"copy_attributes"`

	// LiftFrom are the resources, such as replicasets, and the classes of references whose children the step lift puts
	// beside them.
	LiftFrom []string `mapstructure:"lift_from"`

	// Disabled takes the mode out.
	Disabled bool `mapstructure:"disabled"`
}

// ModifierConfig is one modifier.
type ModifierConfig struct {
	// ID has the bits that say in a trace ID that the modifier is on: eight hex digits, in quotes.
	ID string `mapstructure:"id"`

	// Owners is how many owners up are shown.
	Owners int `mapstructure:"owners"`

	// Owned is how many levels of owned objects are shown.
	Owned int `mapstructure:"owned"`

	// FromTop makes owned count from the topmost owner, so that its whole tree is shown and not only the object's.
	FromTop bool `mapstructure:"from_top"`

	// Links is how many references in a row are followed.
	Links int `mapstructure:"links"`

	// LinkClasses are the classes of references that are followed. Empty for all.
	LinkClasses []string `mapstructure:"link_classes"`

	// Tracers are the other tracers whose spans are put below what happened.
	Tracers []string `mapstructure:"tracers"`

	// Disabled takes the modifier out.
	Disabled bool `mapstructure:"disabled"`
}

const (
	// maxReach keeps a configuration from making a view of everything.
	maxReach = 16
	idDigits = 8
)

// DefaultConfig has the modes and modifiers that are built in.
func DefaultConfig() Config {
	mode := func(id string, layout ...Step) ModeConfig {
		common := []Step{JoinVersions, PruneEmpty, CopyAttributes, ClusterInFront, Shrink, PadRoot, TimesInName}
		return ModeConfig{ID: id, Steps: append(common, layout...), CopyAttributes: []string{attr.NodeName}}
	}
	return Config{
		DefaultMode: "tracing",
		Modes: map[string]ModeConfig{
			"tracing":  mode("20000000"),
			"grouped":  mode("30000000", GroupBySource),
			"tree":     mode("00000000", EntriesAsSpans),
			"timeline": mode("10000000", Flatten, EntriesAsSpans),
		},
		Modifiers: map[string]ModifierConfig{
			"full tree":     {ID: "01000000", Owners: 3, Owned: 3, FromTop: true},
			"ancestors":     {ID: "02000000", Owners: 3},
			"owned objects": {ID: "04000000", Owned: 3},
			"links":         {ID: "08000000", Links: 1},
		},
	}
}

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	_, err := NewSet(*c)
	return err
}

// NewSet makes modes of a configuration, and reports everything that is wrong with it at once.
func NewSet(c Config) (*Set, error) {
	var errs []error
	s := &Set{}
	for _, name := range slices.Sorted(maps.Keys(c.Modifiers)) {
		config := c.Modifiers[name]
		if config.Disabled {
			continue
		}
		m, err := config.parse(name)
		if err == nil {
			err = s.addModifier(m)
		}
		errs = append(errs, err)
	}
	names := slices.Sorted(maps.Keys(c.Modes))
	names = slices.DeleteFunc(names, func(name string) bool { return c.Modes[name].Disabled })
	if !slices.Contains(names, c.DefaultMode) {
		errs = append(errs, fmt.Errorf("default_mode: there is no mode %q, but %s", c.DefaultMode, join(names)))
	}
	for _, name := range names {
		config := c.Modes[name]
		m, err := config.parse(name)
		if err == nil {
			err = s.addMode(m)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	first := slices.IndexFunc(s.modes, func(m Mode) bool { return m.Name == c.DefaultMode })
	s.modes = slices.Insert(slices.Delete(slices.Clone(s.modes), first, first+1), 0, s.modes[first])
	return s, nil
}

func (c *ModeConfig) parse(name string) (Mode, error) {
	key := "modes::" + name
	id, err := parseID(c.ID)
	errs := []error{wrap(key+"::id", err), checkName(key, name)}
	for _, step := range c.Steps {
		if !slices.Contains(AllSteps, step) {
			errs = append(errs, fmt.Errorf("%s::steps: there is no step %q, but %s", key, step, join(AllSteps)))
		}
	}
	if slices.Contains(c.Steps, EntriesAsSpans) && slices.Contains(c.Steps, GroupBySource) {
		errs = append(errs, fmt.Errorf("%s::steps: %s and %s exclude each other", key, EntriesAsSpans, GroupBySource))
	}
	if slices.Contains(c.Steps, Lift) != (len(c.LiftFrom) > 0) {
		errs = append(errs, fmt.Errorf("%s: the step %s and lift_from need each other", key, Lift))
	}
	return Mode{ID: id, Name: name, Steps: c.Steps, CopyAttributes: c.CopyAttributes, LiftFrom: c.LiftFrom}, errors.Join(errs...)
}

func (c *ModifierConfig) parse(name string) (modifier, error) {
	key := "modifiers::" + name
	id, err := parseID(c.ID)
	errs := []error{wrap(key+"::id", err), checkName(key, name)}
	if err == nil && id == 0 {
		errs = append(errs, fmt.Errorf("%s::id: must have a bit", key))
	}
	for _, reach := range [...]struct {
		field string
		value int
	}{{"owners", c.Owners}, {"owned", c.Owned}, {"links", c.Links}} {
		if reach.value < 0 || reach.value > maxReach {
			errs = append(errs, fmt.Errorf("%s::%s: must be between 0 and %d, got %d", key, reach.field, maxReach, reach.value))
		}
	}
	if c.Owners == 0 && c.Owned == 0 && c.Links == 0 && len(c.Tracers) == 0 {
		errs = append(errs, fmt.Errorf("%s: must have one of owners, owned, links and tracers", key))
	}
	scope := Scope{Owners: c.Owners, Owned: c.Owned, FromTop: c.FromTop, Links: c.Links, LinkClasses: c.LinkClasses, Tracers: c.Tracers}
	return modifier{id, name, scope}, errors.Join(errs...)
}

// checkName keeps names such that "tracing [ancestors, links]" can be read back.
func checkName(key, name string) error {
	if name == "" || name != strings.TrimSpace(name) || strings.ContainsAny(name, "[],\x00\n\r\t") {
		return fmt.Errorf("%s: a name must not be empty, nor have brackets, commas or spaces around it", key)
	}
	return nil
}

func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) != idDigits {
		return 0, fmt.Errorf("must be %d hex digits in quotes, such as \"20000000\", got %q", idDigits, text)
	}
	return uint32(id), nil
}

func wrap(key string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func join[T ~string](all []T) string {
	var b strings.Builder
	for i, one := range all {
		switch {
		case i > 0 && i == len(all)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(one))
	}
	return b.String()
}

func overlap(a, b uint32) bool { return bits.OnesCount32(a&b) > 0 }
