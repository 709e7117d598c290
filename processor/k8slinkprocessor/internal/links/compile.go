// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/kelemetry/kelemetry/internal/glob"
)

// Rules are compiled settings. They do not change, and are safe for concurrent use.
type Rules struct {
	parentAnnotation string
	placeParents     bool
	traceContexts    []string
	maxLinks         int

	rules []rule
	tags  []tag
	// exact leads to the rules and tags of a type, if they name types without *.
	exact map[groupResource]*selection
	// anywhere is for all other types.
	anywhere *selection
	any      bool
}

type groupResource struct{ group, resource string }

// selection is what can concern the objects of a type.
type selection struct {
	rules []*rule
	tags  []*tag
	reads paths
}

type rule struct {
	Rule
	matcher
	target   program
	settings map[string]string
}

type tag struct {
	Tag
	matcher
	value program
}

type matcher struct{ group, resource, namespace, cluster glob.Patterns }

var word = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// Compile reports everything that is wrong with the settings at once, each with its key in the configuration.
func Compile(s Settings) (*Rules, error) {
	env, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	r := &Rules{
		parentAnnotation: s.ParentAnnotation, placeParents: s.PlaceParents,
		traceContexts: slices.Clone(s.TraceContexts), maxLinks: s.MaxLinks,
		exact: make(map[groupResource]*selection),
	}
	var errs []error
	names := make(map[string]string)
	add := func(key string, from Rule, settings map[string]string) {
		compiled, err := compileRule(env, from, s.CostLimit)
		if other, taken := names[from.Name]; taken && from.Name != "" {
			err = errors.Join(err, fmt.Errorf("name: %s has the name %q already", other, from.Name))
		}
		names[from.Name] = key
		if err != nil {
			errs = append(errs, prefixed(fmt.Sprintf("%s (%s)", key, from.Name), err)...)
			return
		}
		compiled.settings = settings
		r.rules = append(r.rules, compiled)
	}
	for i, name := range s.Presets {
		key := fmt.Sprintf("links::presets[%d]", i)
		preset, err := readPreset(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
			continue
		}
		settings, err := preset.settings(name, s.PresetSettings[name])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, rule := range preset.Rules {
			add(key, rule, settings)
		}
	}
	for name := range s.PresetSettings {
		if !slices.Contains(s.Presets, name) {
			errs = append(errs, fmt.Errorf("links::preset_settings::%s: the preset is not in presets", name))
		}
	}
	for i, rule := range s.Rules {
		add(fmt.Sprintf("links::rules[%d]", i), rule, nil)
	}
	for i, from := range s.Tags {
		compiled, err := compileTag(env, from, s.CostLimit)
		if err != nil {
			errs = append(errs, prefixed(fmt.Sprintf("tags[%d] (%s)", i, from.Attribute), err)...)
			continue
		}
		r.tags = append(r.tags, compiled)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	r.index()
	return r, nil
}

func prefixed(key string, err error) []error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for i := range list {
		list[i] = fmt.Errorf("%s::%w", key, list[i])
	}
	return list
}

func compileRule(env *cel.Env, from Rule, costLimit uint64) (rule, error) {
	var errs []error
	if from.Name == "" || from.Name == AnnotationRule || len(from.Name) > 63 {
		errs = append(errs, fmt.Errorf("name: must have 1 to 63 characters and not be %q, got %q", AnnotationRule, from.Name))
	}
	if !word.MatchString(from.Role) {
		errs = append(errs, fmt.Errorf("role: must be a lower-case word such as parent, got %q", from.Role))
	}
	if from.Class != "" && !word.MatchString(from.Class) {
		errs = append(errs, fmt.Errorf("class: must be empty or a lower-case word, got %q", from.Class))
	}
	if from.Place && from.Role != RoleParent {
		errs = append(errs, fmt.Errorf("place: only a rule of role %s can place an object, got role %q", RoleParent, from.Role))
	}
	m, err := newMatcher(from.Match)
	errs = append(errs, err)
	target, err := compile(env, from.Target, costLimit)
	if err != nil {
		errs = append(errs, fmt.Errorf("target: %w", err))
	}
	return rule{Rule: from, matcher: m, target: target}, errors.Join(errs...)
}

func compileTag(env *cel.Env, from Tag, costLimit uint64) (tag, error) {
	var errs []error
	if from.Attribute == "" || strings.HasPrefix(from.Attribute, "kelemetry.") {
		errs = append(errs, fmt.Errorf("attribute: must not be empty nor begin with kelemetry., got %q", from.Attribute))
	}
	m, err := newMatcher(from.Match)
	errs = append(errs, err)
	value, err := compile(env, from.Value, costLimit)
	if err != nil {
		errs = append(errs, fmt.Errorf("value: %w", err))
	}
	return tag{Tag: from, matcher: m, value: value}, errors.Join(errs...)
}

func newMatcher(m Match) (matcher, error) {
	if m.Resource == "" {
		return matcher{}, errors.New("match::resource: must be a plural such as deployments, or *")
	}
	if m.Resource != strings.ToLower(m.Resource) {
		return matcher{}, fmt.Errorf("match::resource: must be a lower-case plural, got %q", m.Resource)
	}
	compiled := matcher{group: glob.Compile([]string{m.Group}), resource: glob.Compile([]string{m.Resource})}
	if m.Namespace != "" {
		compiled.namespace = glob.Compile([]string{m.Namespace})
	}
	if m.Cluster != "" {
		compiled.cluster = glob.Compile([]string{m.Cluster})
	}
	return compiled, nil
}

func (m *matcher) matchesType(group, resource string) bool {
	return m.group.Match(group) && m.resource.Match(resource)
}

func (m *matcher) matches(o *Object) bool {
	return m.namespace.Allows(o.Namespace) && m.cluster.Allows(o.Cluster) && m.matchesType(o.Group, o.Object.Resource)
}

// index sorts rules and tags by the types that they are for.
func (r *Rules) index() {
	var types []groupResource
	note := func(m Match) {
		if !strings.Contains(m.Group+m.Resource, "*") {
			types = append(types, groupResource{m.Group, m.Resource})
		}
	}
	for i := range r.rules {
		note(r.rules[i].Match)
	}
	for i := range r.tags {
		note(r.tags[i].Match)
	}
	for _, t := range types {
		if r.exact[t] == nil {
			r.exact[t] = r.selectFor(func(m *matcher, _ Match) bool { return m.matchesType(t.group, t.resource) })
		}
	}
	r.anywhere = r.selectFor(func(_ *matcher, m Match) bool { return strings.Contains(m.Group+m.Resource, "*") })
	r.any = len(r.exact) > 0 || r.anywhere.reads != nil
}

func (r *Rules) selectFor(matches func(*matcher, Match) bool) *selection {
	s := &selection{}
	for i := range r.rules {
		if rule := &r.rules[i]; matches(&rule.matcher, rule.Match) {
			s.rules = append(s.rules, rule)
			s.reads = s.reads.addAll(rule.target.reads)
		}
	}
	for i := range r.tags {
		if tag := &r.tags[i]; matches(&tag.matcher, tag.Match) {
			s.tags = append(s.tags, tag)
			s.reads = s.reads.addAll(tag.value.reads)
		}
	}
	if r.parentAnnotation != "" {
		s.reads = s.reads.add([]string{"metadata", "annotations", r.parentAnnotation})
	}
	for _, annotation := range r.traceContexts {
		s.reads = s.reads.add([]string{"metadata", "annotations", annotation})
	}
	return s
}

func (r *Rules) selection(group, resource string) *selection {
	if s, ok := r.exact[groupResource{group, resource}]; ok {
		return s
	}
	return r.anywhere
}

// Placing reports whether a link can place an object.
func (r *Rules) Placing() bool {
	return r.placeParents && r.parentAnnotation != "" || slices.ContainsFunc(r.rules, func(r rule) bool { return r.Place })
}

// Concern reports whether a rule or a tag is for objects of the type. What annotations say may concern any.
func (r *Rules) Concern(group, resource string) bool {
	s := r.selection(group, resource)
	return slices.ContainsFunc(s.rules, func(r *rule) bool { return r.matchesType(group, resource) }) ||
		slices.ContainsFunc(s.tags, func(t *tag) bool { return t.matchesType(group, resource) })
}

// Any reports whether there is anything to evaluate at all.
func (r *Rules) Any() bool { return r.any }

// Touched reports whether a change of what is at the path can change the facts about objects of the type. The path is
// that of the member's names from the object on.
func (r *Rules) Touched(group, resource string, path []string) bool {
	return r.selection(group, resource).reads.touches(path)
}
