// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Decode reads the parts of an object's JSON that the rules look at.
func (r *Rules) Decode(o *Object, text []byte) error {
	content, err := r.selection(o.Group, o.Object.Resource).reads.decode(text)
	o.content, o.known = content, nil
	return err
}

// EvaluateState derives the facts about an object from what is known of its content: if that is not all of it, by the rules
// that look at nothing else. When the object was just decoded, that is its content.
func (r *Rules) EvaluateState(o *Object, s *State, report Report) Facts {
	if o.content == nil || len(s.changes) > 0 { // else it was just decoded
		s.restore(o)
	}
	return r.Evaluate(o, report)
}

// Evaluate derives the facts about an object from what was decoded of it. What fails is reported, and leaves the rest.
func (r *Rules) Evaluate(o *Object, report Report) Facts {
	s := r.selection(o.Group, o.Object.Resource)
	e := evaluation{rules: r, object: o, report: report}
	e.annotations()
	for _, rule := range s.rules {
		if o.shows(rule.target.reads) && rule.matches(o) {
			e.rule(rule)
		}
	}
	for _, tag := range s.tags {
		if o.shows(tag.value.reads) && tag.matches(o) {
			e.tag(tag)
		}
	}
	return e.facts
}

// shows reports whether what is known of the object is enough for an expression.
func (o *Object) shows(reads paths) bool {
	return o.known == nil || reads != nil && reads.within(o.known)
}

type evaluation struct {
	rules  *Rules
	object *Object
	report Report
	facts  Facts
}

func (e *evaluation) rule(r *rule) {
	value, _, err := r.target.Eval(&variables{object: e.object, settings: r.settings})
	if err != nil {
		e.failed(r.Name, err)
		return
	}
	targets, err := readTargets(value)
	outcome := Absent
	for _, f := range targets {
		t, ok, failed := f.target(e.object)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		if !ok {
			continue
		}
		link := Link{Target: t, Role: r.Role, Class: r.Class, Rule: r.Name, Place: r.Place}
		if f[fieldRole] != "" {
			link.Role, link.Place = f[fieldRole], r.Place && f[fieldRole] == RoleParent
		}
		if f[fieldClass] != "" {
			link.Class = f[fieldClass]
		}
		if failed := link.check(); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		if !e.add(link) {
			e.report(r.Name, Cut, nil)
			return
		}
		outcome = Found
	}
	if err != nil {
		outcome = Failed
	}
	e.report(r.Name, outcome, err)
}

// add reports false when there is no room for the link.
func (e *evaluation) add(link Link) bool {
	for i := range e.facts.Links {
		if l := &e.facts.Links[i]; l.Target == link.Target && l.Role == link.Role && l.Class == link.Class {
			return true
		}
	}
	if len(e.facts.Links) >= e.rules.maxLinks {
		return false
	}
	e.facts.Links = append(e.facts.Links, link)
	return true
}

func (e *evaluation) tag(t *tag) {
	name := "tag " + t.Attribute
	value, _, err := t.value.Eval(&variables{object: e.object})
	if err != nil {
		e.failed(name, err)
		return
	}
	v, err := readTag(value)
	switch {
	case err != nil:
		e.report(name, Failed, err)
	case v == nil:
		e.report(name, Absent, nil)
	default:
		e.facts.Tags = append(e.facts.Tags, TagValue{t.Attribute, v})
		e.report(name, Found, nil)
	}
}

// readTag reads a value that an attribute can have. What is not there, or empty, is nil.
func readTag(v ref.Val) (any, error) {
	if v = unwrap(v); v == nil {
		return nil, nil
	}
	switch v := v.(type) {
	case types.String:
		if v == "" {
			return nil, nil
		}
		return limited(string(v)), nil
	case types.Int:
		return int64(v), nil
	case types.Double:
		return float64(v), nil
	case types.Bool:
		return bool(v), nil
	}
	items, ok := v.(traits.Lister)
	if !ok {
		return nil, fmt.Errorf("a tag must be a text, a number, true or false, a list of texts or null, not %s", v.Type().TypeName())
	}
	var list []string
	for all := items.Iterator(); all.HasNext() == types.True && len(list) < maxTagItems; {
		item := all.Next()
		text, ok := item.(types.String)
		if !ok {
			return nil, fmt.Errorf("a tag's list must be of texts, not of %s", item.Type().TypeName())
		}
		list = append(list, limited(string(text)))
	}
	if list == nil {
		return nil, nil
	}
	return list, nil
}

const (
	// maxTag is how long a tag's text may be; the rest is cut off.
	maxTag      = 1024
	maxTagItems = 64
)

func limited(text string) string {
	if len(text) > maxTag {
		text = text[:maxTag]
	}
	return strings.ToValidUTF8(text, "")
}

// annotations reads what annotations say. They carry no rules' names and need no CEL.
func (e *evaluation) annotations() {
	metadata, _ := e.object.content["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	if len(annotations) == 0 {
		return
	}
	if text, ok := annotations[e.rules.parentAnnotation].(string); ok && text != "" {
		t, other, err := readAnnotation(text, e.object)
		switch {
		case err != nil:
			e.report(AnnotationRule, Failed, err)
		case !other:
			e.report(AnnotationRule, Absent, nil)
		default:
			e.add(Link{Target: t, Role: RoleParent, Rule: AnnotationRule, Place: e.rules.placeParents})
			e.report(AnnotationRule, Found, nil)
		}
	}
	for _, annotation := range e.rules.traceContexts {
		text, ok := annotations[annotation].(string)
		if !ok || text == "" {
			continue
		}
		c, err := readTraceContext(annotation, text)
		if err != nil {
			e.report("trace context "+annotation, Failed, err)
			continue
		}
		if len(e.facts.Contexts) < e.rules.maxLinks {
			e.facts.Contexts = append(e.facts.Contexts, c)
		}
		e.report("trace context "+annotation, Found, nil)
	}
}

// failed tells objects that lack what a rule looks at from rules that fail. So a rule need not ask whether each member is
// there.
func (e *evaluation) failed(rule string, err error) {
	if text := err.Error(); strings.HasPrefix(text, "no such key") || strings.HasPrefix(text, "no such attribute") {
		e.report(rule, Absent, nil)
		return
	}
	e.report(rule, Failed, err)
}
