// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
)

// maxText is longer than anything that Kubernetes admits in the name of an object, or of its type.
const maxText = 512

// fields is a map that an expression gave, or the annotation: texts by the names of the fields of a target.
type fields map[string]string

// The names of the fields.
const (
	fieldCluster    = "cluster"
	fieldGroup      = "group"
	fieldVersion    = "version"
	fieldAPIVersion = "apiVersion"
	fieldResource   = "resource"
	fieldKind       = "kind"
	fieldNamespace  = "namespace"
	fieldName       = "name"
	fieldUID        = "uid"
	fieldRole       = "role"
	fieldClass      = "class"
)

var knownFields = []string{
	fieldAPIVersion, fieldClass, fieldCluster, fieldGroup, fieldKind, fieldName, fieldNamespace, fieldResource, fieldRole, fieldUID,
	fieldVersion,
}

// target reads the object that the fields name, seen from an object. It reports false when they name none: an empty name is
// how objects say that there is nothing.
func (f fields) target(from *Object) (Target, bool, error) {
	t := Target{
		Object: identity.Object{
			Cluster: f[fieldCluster], Group: f[fieldGroup], Resource: f[fieldResource], Namespace: f[fieldNamespace], Name: f[fieldName],
		},
		Kind: f[fieldKind], UID: f[fieldUID],
	}
	switch {
	case f[fieldAPIVersion] != "":
		t.APIVersion = f[fieldAPIVersion]
		t.Group, _ = identity.GroupVersion(t.APIVersion)
	case f[fieldVersion] != "":
		t.APIVersion = identity.APIVersion(t.Group, f[fieldVersion])
	}
	ok, err := t.settle(from)
	return t, ok, err
}

// settle checks a target and completes it, seen from an object.
func (t *Target) settle(from *Object) (bool, error) {
	if t.Name == "" {
		return false, nil
	}
	for _, text := range [...]struct{ field, text string }{
		{fieldCluster, t.Cluster},
		{fieldGroup, t.Group},
		{fieldResource, t.Object.Resource},
		{fieldNamespace, t.Namespace},
		{fieldName, t.Name},
		{fieldKind, t.Kind},
		{fieldAPIVersion, t.APIVersion},
		{fieldUID, t.UID},
	} {
		if len(text.text) > maxText {
			return false, fmt.Errorf("%s has %d bytes, more than %d", text.field, len(text.text), maxText)
		}
	}
	if t.Cluster == "" {
		t.Cluster = from.Cluster
	}
	if t.Object.Resource == "" && t.Kind == "" {
		return false, errors.New("the target has neither resource nor kind")
	}
	t.complete()
	return t.Object != from.Object, nil
}

// Given checks and completes a link that did not come from a rule. It reports false when it leads nowhere.
func Given(from *Object, l Link) (Link, bool, error) {
	if err := l.check(); err != nil {
		return l, false, err
	}
	l.Place = l.Place && l.Role == RoleParent
	ok, err := l.settle(from)
	return l, ok, err
}

func (l *Link) check() error {
	if !word.MatchString(l.Role) || l.Class != "" && !word.MatchString(l.Class) {
		return fmt.Errorf("role and class must be lower-case words, got %q and %q", l.Role, l.Class)
	}
	return nil
}

// complete adds what is known of built-in types.
func (t *Target) complete() {
	known, ok := kinds.ByResource(t.Group, t.Resource)
	if t.Resource == "" {
		known, ok = kinds.ByKind(t.Group, t.Kind)
	}
	if !ok {
		return
	}
	t.Resource, t.Kind = known.Resource, known.Kind
	if !known.Namespaced {
		t.Namespace = ""
	}
}

// readTargets reads what an expression gave: a map, a list of maps, or nothing. It returns what could be read before an
// error.
func readTargets(v ref.Val) ([]fields, error) {
	v = unwrap(v)
	list, isList := v.(traits.Lister)
	if !isList {
		f, err := readFields(v)
		if f == nil || err != nil {
			return nil, err
		}
		return []fields{f}, nil
	}
	var all []fields
	for items := list.Iterator(); items.HasNext() == types.True; {
		f, err := readFields(unwrap(items.Next()))
		if err != nil {
			return all, err
		}
		if f != nil {
			all = append(all, f)
		}
	}
	return all, nil
}

func readFields(v ref.Val) (fields, error) {
	if v == nil {
		return nil, nil
	}
	entries, ok := v.(traits.Mapper)
	if !ok {
		return nil, fmt.Errorf("the target must be a map, a list of maps or null, not %s", v.Type().TypeName())
	}
	f := make(fields, len(knownFields))
	for keys := entries.Iterator(); keys.HasNext() == types.True; {
		key := keys.Next()
		name, ok := key.Value().(string)
		if !ok || !slices.Contains(knownFields, name) {
			return nil, fmt.Errorf("the target has the unknown field %v; known are %s", key.Value(), strings.Join(knownFields, ", "))
		}
		switch value := unwrap(entries.Get(key)).(type) {
		case nil:
		case types.String:
			f[name] = string(value)
		default:
			return nil, fmt.Errorf("the target's %s must be a text, not %s", name, value.Type().TypeName())
		}
	}
	return f, nil
}

// unwrap opens an optional value; what is not there is nil, and so is null.
func unwrap(v ref.Val) ref.Val {
	if optional, ok := v.(*types.Optional); ok {
		if !optional.HasValue() {
			return nil
		}
		v = optional.GetValue()
	}
	if v == types.NullValue {
		return nil
	}
	return v
}
