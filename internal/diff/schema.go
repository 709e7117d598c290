// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff // import "github.com/kelemetry/kelemetry/internal/diff"

import (
	"slices"
	"strings"
)

//go:generate go run ./gen generated_schema.go

// Schema tells which lists of a type are sets and which have merge keys. The nil Schema knows nothing.
type Schema struct{ fields []field }

// field is a member below or at which a list with keys or a set can be.
type field struct {
	name string
	// of is the index of the member's type, or that of its items or values, in types; -1 if nothing is below.
	of   int16
	list listKind
	// values is true of a map: of is the type of its values.
	values bool
	keys   []string
}

type listKind uint8

const (
	unknown listKind = iota
	// atomic lists are replaced as a whole by those who write them. People still see their items.
	atomic
	set
	keyed
)

// SchemaOf returns the schema of a built-in kind in its newest stable version, and for other kinds that of what all
// objects have in common.
func SchemaOf(group, kind string) *Schema {
	if group == "" {
		group = "core"
	} else if first, rest, dotted := strings.Cut(group, "."); dotted {
		if rest != "k8s.io" && !strings.HasSuffix(rest, ".k8s.io") {
			return &types[anyObject]
		}
		group = first
	}
	name := group + "/" + kind
	if i, ok := slices.BinarySearchFunc(roots[:], name, func(r root, name string) int { return strings.Compare(r.name, name) }); ok {
		return &types[roots[i].of]
	}
	return &types[anyObject]
}

// root is a kind that is an object by itself, by "group/kind".
type root struct {
	name string
	of   int16
}

func (s *Schema) field(name []byte) *field {
	if s == nil {
		return nil
	}
	for i := range s.fields {
		if s.fields[i].name == string(name) {
			return &s.fields[i]
		}
	}
	return nil
}

// below is the schema of a member's value, of its items if it is a list, or of its values if it is a map.
func (f *field) below() *Schema {
	if f == nil || f.of < 0 {
		return nil
	}
	return &types[f.of]
}
