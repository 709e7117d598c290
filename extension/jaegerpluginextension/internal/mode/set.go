// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package mode // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Set is the modes and modifiers that there are, the default mode first. It does not change.
type Set struct {
	modes     []Mode
	modifiers []modifier
}

type modifier struct {
	id    uint32
	name  string
	scope Scope
}

// Default is the mode that is taken where none is asked for.
func (s *Set) Default() Mode { return s.modes[0] }

// ByID returns the mode with that ID: a mode's, OR-ed with those of modifiers.
func (s *Set) ByID(id uint32) (Mode, bool) {
	var on []modifier
	base := id
	for _, m := range s.modifiers {
		if id&m.id == m.id {
			on = append(on, m)
			base &^= m.id
		}
	}
	for _, m := range s.modes {
		if m.ID == base {
			return m.with(on), true
		}
	}
	return Mode{}, false
}

// ByName returns the mode of that name, such as "tracing" or "tracing [ancestors, links]", with the modifiers in any order.
// The error says which names there are.
func (s *Set) ByName(name string) (Mode, error) {
	base, rest, modified := strings.Cut(name, "[")
	i := slices.IndexFunc(s.modes, func(m Mode) bool { return m.Name == strings.TrimSpace(base) })
	if i < 0 {
		return Mode{}, fmt.Errorf("there is no display mode %q, but %s", strings.TrimSpace(base), s.names())
	}
	if !modified {
		return s.modes[i], nil
	}
	rest, closed := strings.CutSuffix(strings.TrimSpace(rest), "]")
	if !closed {
		return Mode{}, fmt.Errorf("%q has no closing bracket", name)
	}
	var on []modifier
	for _, wanted := range strings.Split(rest, ",") {
		wanted = strings.TrimSpace(wanted)
		j := slices.IndexFunc(s.modifiers, func(m modifier) bool { return m.name == wanted })
		if j < 0 {
			return Mode{}, fmt.Errorf("there is no modifier %q, but %s", wanted, s.modifierNames())
		}
		if !slices.ContainsFunc(on, func(m modifier) bool { return m.name == wanted }) {
			on = append(on, s.modifiers[j])
		}
	}
	slices.SortFunc(on, func(a, b modifier) int { return strings.Compare(a.name, b.name) })
	return s.modes[i].with(on), nil
}

// List returns the modes to choose from, the default first: each alone, with each modifier, and with each two of them
// unless one has all that the other has.
func (s *Set) List() []Mode {
	var all []Mode
	for _, m := range s.modes {
		all = append(all, m)
		for _, a := range s.modifiers {
			all = append(all, m.with([]modifier{a}))
		}
		for i, a := range s.modifiers {
			for _, b := range s.modifiers[i+1:] {
				if both := a.scope.or(b.scope); !both.equal(a.scope) && !both.equal(b.scope) {
					all = append(all, m.with([]modifier{a, b}))
				}
			}
		}
	}
	return all
}

func (m Mode) with(on []modifier) Mode {
	if len(on) == 0 {
		return m
	}
	names := make([]string, len(on))
	for i, modifier := range on {
		m.ID |= modifier.id
		m.Scope = m.Scope.or(modifier.scope)
		names[i] = modifier.name
	}
	m.Name += " [" + strings.Join(names, ", ") + "]"
	return m
}

func (s *Set) addModifier(m modifier) error {
	for _, other := range s.modifiers {
		if overlap(m.id, other.id) {
			return fmt.Errorf("modifiers::%s::id: has a bit of that of %q", m.name, other.name)
		}
	}
	s.modifiers = append(s.modifiers, m)
	return nil
}

func (s *Set) addMode(m Mode) error {
	var errs []error
	for _, other := range s.modes {
		if m.ID == other.ID {
			errs = append(errs, fmt.Errorf("modes::%s::id: is that of %q", m.Name, other.Name))
		}
	}
	for _, other := range s.modifiers {
		if overlap(m.ID, other.id) {
			errs = append(errs, fmt.Errorf("modes::%s::id: has a bit of that of the modifier %q", m.Name, other.name))
		}
	}
	s.modes = append(s.modes, m)
	return errors.Join(errs...)
}

func (s *Set) names() string {
	names := make([]string, len(s.modes))
	for i, m := range s.modes {
		names[i] = m.Name
	}
	return join(names)
}

func (s *Set) modifierNames() string {
	names := make([]string, len(s.modifiers))
	for i, m := range s.modifiers {
		names[i] = m.name
	}
	return join(names)
}
