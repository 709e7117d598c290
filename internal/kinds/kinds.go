// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package kinds maps kinds to resources and back without asking an API server.
//
// Built-in types come from a table generated from the discovery documents that Kubernetes publishes with its source;
// for other types [GuessResource] makes the plural that controller-gen makes by default.
package kinds // import "github.com/kelemetry/kelemetry/internal/kinds"

import (
	"strings"

	"github.com/gobuffalo/flect"
)

//go:generate go run ./gen ../../integration/servers/kubernetes generated_table.go

// Type is one built-in type, version left out.
type Type struct {
	Group      string
	Kind       string
	Resource   string
	Namespaced bool
}

type groupName struct{ group, name string }

var byKind, byResource = index(table[:])

func index(types []Type) (byKind, byResource map[groupName]*Type) {
	byKind = make(map[groupName]*Type, len(types))
	byResource = make(map[groupName]*Type, len(types))
	for i := range types {
		t := &types[i]
		byKind[groupName{t.Group, t.Kind}] = t
		byResource[groupName{t.Group, t.Resource}] = t
	}
	return byKind, byResource
}

// ByKind looks a built-in type up by its kind, such as "Deployment".
func ByKind(group, kind string) (Type, bool) { return lookup(byKind, group, kind) }

// ByResource looks a built-in type up by its plural, such as "deployments".
func ByResource(group, resource string) (Type, bool) { return lookup(byResource, group, resource) }

func lookup(types map[groupName]*Type, group, name string) (Type, bool) {
	if t, ok := types[groupName{group, name}]; ok {
		return *t, true
	}
	return Type{}, false
}

// All lists the built-in types, ordered by group and resource.
func All() []Type { return append([]Type(nil), table[:]...) }

// GuessResource returns the plural that a custom type has unless its author chose another: "Policy" gives "policies".
func GuessResource(kind string) string {
	return flect.Pluralize(strings.ToLower(kind))
}
