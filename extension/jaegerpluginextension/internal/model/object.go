// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Ref names an object that may or may not be in the graph.
type Ref struct {
	ID identity.ID
	identity.Object

	// Kind, APIVersion and UID are empty where nobody told.
	Kind       string
	APIVersion string
	UID        string
}

// IsZero is true of the reference to nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Object is everything known under one key.
type Object struct {
	Ref
	// Lives are in order of time, at least one: objects that had the key one after the other.
	Lives []*Life
	// Warnings say what of the object could not be made sense of.
	Warnings []string

	first *resource // of several, the one to describe the object by
	spans []*objectSpan
	all   []*Entry
	links []*linkSpan
}

// Life is an object from its creation to its deletion, told from others of the same name by UID.
type Life struct {
	Object *Object
	// UID is empty where nobody told.
	UID string
	// Number counts the lives of the object from 1.
	Number int
	// Attributes are those of the resource that describes this life best. They must not be changed.
	Attributes pcommon.Map
	// Spans are the stored spans of the object itself in this life, one for each window, the oldest first. They must not
	// be changed.
	Spans []ptrace.Span
	// Owner is the object that this one is placed under; zero for none. OwnerLife is its life, if the graph has it.
	Owner     Ref
	OwnerLife *Life
	// Owned are the lives whose OwnerLife this is, in order of their start.
	Owned []*Life
	// Entries are what happened, in order of time.
	Entries []*Entry
	// Links are references other than ownership, in a fixed order.
	Links []*Link
	// Start and End are those of the windows that tell of this life, and of its entries.
	Start, End pcommon.Timestamp

	began    pcommon.Timestamp // when the first entry with this UID happened
	entered  bool
	resource *resource
}

// Link is a reference to an object that is not the owner.
type Link struct {
	Role, Class, Rule, Direction string
	Target                       Ref
}

// LifeOf returns the life with that UID. For an unknown or empty UID it is the last.
func (o *Object) LifeOf(uid string) *Life {
	for _, life := range o.Lives {
		if life.UID == uid {
			return life
		}
	}
	return o.Lives[len(o.Lives)-1]
}

func refTo(id identity.ID, r objectspan.Resource) Ref {
	return Ref{ID: id, Object: r.Object, Kind: r.Kind, APIVersion: r.APIVersion, UID: r.UID}
}

func compareLives(a, b *Life) int {
	return cmp.Or(
		cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.Object.Cluster, b.Object.Cluster),
		cmp.Compare(a.Object.Object.Resource, b.Object.Object.Resource),
		cmp.Compare(a.Object.Namespace, b.Object.Namespace),
		cmp.Compare(a.Object.Name, b.Object.Name),
		slices.Compare(a.Object.ID[:], b.Object.ID[:]),
		cmp.Compare(a.Number, b.Number),
	)
}

func (o *Object) warn(text string) {
	if !slices.Contains(o.Warnings, text) {
		o.Warnings = append(o.Warnings, text)
	}
}
