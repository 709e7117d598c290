// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kelemetry/kelemetry/internal/glob"
)

// filter is the compiled rules of a configuration. It is immutable.
type filter struct{ include, exclude []rule }

func newFilter(include, exclude []RuleConfig) *filter {
	return &filter{include: compileRules(include), exclude: compileRules(exclude)}
}

// mayWatch reports whether any object of a resource can pass.
func (f *filter) mayWatch(resource string) bool {
	for i := range f.exclude {
		if r := &f.exclude[i]; r.resources.Allows(resource) && r.namespaces == nil && r.labels == nil {
			return false
		}
	}
	for i := range f.include {
		if f.include[i].resources.Allows(resource) {
			return true
		}
	}
	return len(f.include) == 0
}

// of returns what is to be asked of the objects of a resource. It is nil if all of them pass.
func (f *filter) of(resource string) *filter {
	var asked filter
	for _, r := range f.exclude {
		if r.resources.Allows(resource) {
			asked.exclude = append(asked.exclude, r)
		}
	}
	for _, r := range f.include {
		if !r.resources.Allows(resource) {
			continue
		}
		if r.namespaces == nil && r.labels == nil { // it lets all pass
			asked.include = nil
			break
		}
		asked.include = append(asked.include, r)
	}
	if len(asked.exclude)+len(asked.include) == 0 {
		return nil
	}
	return &asked
}

// passes is asked of an object, by a filter that of returned.
func (f *filter) passes(namespace string, l map[string]string) bool {
	if f == nil {
		return true
	}
	for i := range f.exclude {
		if f.exclude[i].matches(namespace, l) {
			return false
		}
	}
	for i := range f.include {
		if f.include[i].matches(namespace, l) {
			return true
		}
	}
	return len(f.include) == 0
}

// rule is a compiled RuleConfig.
type rule struct {
	resources, namespaces glob.Patterns
	labels                labels.Selector
}

func compileRules(configs []RuleConfig) []rule {
	rules := make([]rule, 0, len(configs))
	for _, c := range configs {
		r := rule{resources: glob.Compile(c.Resources), namespaces: glob.Compile(c.Namespaces)}
		if c.Labels != "" {
			r.labels, _ = labels.Parse(c.Labels) // Validate has checked it
		}
		rules = append(rules, r)
	}
	return rules
}

func (r *rule) matches(namespace string, l map[string]string) bool {
	return r.namespaces.Allows(namespace) && (r.labels == nil || r.labels.Matches(labels.Set(l)))
}
