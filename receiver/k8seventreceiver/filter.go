// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"github.com/kelemetry/kelemetry/internal/glob"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// reason says why something that was read becomes no span; empty when it does.
type reason string

const (
	keep              reason = ""
	reasonExcluded    reason = "excluded"
	reasonNotIncluded reason = "not_included"
	reasonNoObject    reason = "no_object"
	reasonTooOld      reason = "too_old"
	// reasonKnown is of what was delivered before.
	reasonKnown reason = "known"
	// reasonDeleted is of Events that are gone, mostly because their time was up. They tell nothing new.
	reasonDeleted reason = "deleted"
)

// filter is a compiled FilterConfig. It is immutable.
type filter struct {
	include, exclude []rule
}

func newFilter(c FilterConfig) *filter {
	return &filter{include: compileRules(c.Include), exclude: compileRules(c.Exclude)}
}

func (f *filter) check(o *occurrence, on objectspan.Resource) reason {
	switch {
	case matchAny(f.exclude, o, on):
		return reasonExcluded
	case len(f.include) > 0 && !matchAny(f.include, o, on):
		return reasonNotIncluded
	}
	return keep
}

// rule is a compiled RuleConfig.
type rule struct {
	namespaces, kinds, names, reasons, types, controllers glob.Patterns
}

func compileRules(configs []RuleConfig) []rule {
	rules := make([]rule, 0, len(configs))
	for _, c := range configs {
		rules = append(rules, rule{
			namespaces: glob.Compile(c.Namespaces), kinds: glob.Compile(c.Kinds), names: glob.Compile(c.Names),
			reasons: glob.Compile(c.Reasons), types: glob.Compile(c.Types), controllers: glob.Compile(c.Controllers),
		})
	}
	return rules
}

func matchAny(rules []rule, o *occurrence, on objectspan.Resource) bool {
	for i := range rules {
		if rules[i].match(o, on) {
			return true
		}
	}
	return false
}

func (r *rule) match(o *occurrence, on objectspan.Resource) bool {
	return r.namespaces.Allows(on.Namespace) &&
		(r.kinds == nil || r.kinds.Match(on.Kind) || on.Group != "" && r.kinds.Match(on.Kind+"."+on.Group)) &&
		r.names.Allows(on.Name) &&
		r.reasons.Allows(o.event.Reason) &&
		r.types.Allows(o.event.Type) &&
		r.controllers.Allows(controllerOf(o.event))
}
