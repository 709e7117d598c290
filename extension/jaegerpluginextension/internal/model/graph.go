// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// Limits bound a graph.
type Limits struct {
	// MaxSpans is how many different spans are kept; 0 for no limit. Of what is beyond it a warning is left.
	MaxSpans int
}

// Graph is what a number of stored traces tell. It is not safe for concurrent use.
type Graph struct {
	limits Limits

	spans   map[spanKey]*objectSpan
	entries map[entryKey]*Entry
	links   map[entryKey]*linkSpan

	tooMany, nameless int
	warnings          []string

	// What follows is made of the above by settle, when it is asked for.
	settled  bool
	objects  map[identity.ID]*Object
	homeless int
}

// spanKey is a span's place in the storage.
type spanKey struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

// entryKey is the same for all copies of a span, whatever traces they are in: a span keeps its ID when it is placed
// elsewhere. The object is part of it, so that no stranger's span can take another's place.
type entryKey struct {
	span   pcommon.SpanID
	object identity.ID
}

// Anchor is what spans of another tracer are put below.
type Anchor struct {
	// Object is used if Span is of no entry of the graph.
	Object identity.ID
	Span   pcommon.SpanID
}

// NewGraph makes an empty graph.
func NewGraph(limits Limits) *Graph {
	return &Graph{
		limits: limits, spans: make(map[spanKey]*objectSpan), entries: make(map[entryKey]*Entry), links: make(map[entryKey]*linkSpan),
	}
}

// Add takes stored spans in, and keeps td: it must not be changed afterwards.
func (g *Graph) Add(td ptrace.Traces) { g.read(td, nil) }

// Attach takes spans of another tracer in and puts those of them that have no parent among them below the anchor,
// whatever their own attributes say. Like Add, it keeps td.
func (g *Graph) Attach(td ptrace.Traces, to Anchor) { g.read(td, &to) }

// Warn adds a warning to those of the whole graph, such as that a part could not be read.
func (g *Graph) Warn(text string) {
	if !slices.Contains(g.warnings, text) {
		g.warnings = append(g.warnings, text)
	}
}

// Len is the number of different spans.
func (g *Graph) Len() int { return len(g.spans) + len(g.entries) + len(g.links) }

// Object returns an object that the spans are about.
func (g *Graph) Object(id identity.ID) (*Object, bool) {
	g.settle()
	o, ok := g.objects[id]
	return o, ok
}

// Objects returns all objects, ordered by ID.
func (g *Graph) Objects() []*Object {
	g.settle()
	return slices.SortedFunc(maps.Values(g.objects), func(a, b *Object) int { return slices.Compare(a.ID[:], b.ID[:]) })
}

// Warnings are those that are about no object in particular.
func (g *Graph) Warnings() []string {
	g.settle()
	all := slices.Clone(g.warnings)
	if g.tooMany > 0 {
		all = append(all, fmt.Sprintf("%s left out, because a view has at most %d: ask for a shorter time range", spans(g.tooMany), g.limits.MaxSpans))
	}
	if n := g.nameless + g.homeless; n > 0 {
		all = append(all, spans(n)+" left out, because nothing says which object they are about")
	}
	return all
}

func spans(n int) string {
	if n == 1 {
		return "1 span was"
	}
	return fmt.Sprintf("%d spans were", n)
}

func (g *Graph) isFull() bool {
	if g.limits.MaxSpans > 0 && g.Len() >= g.limits.MaxSpans {
		g.tooMany++
		return true
	}
	return false
}

// sortedEntries returns all entries in their total order.
func (g *Graph) sortedEntries() []*Entry {
	all := make([]*Entry, 0, len(g.entries))
	for _, e := range g.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, compareEntries)
	return all
}

func compareKeys(a, b spanKey) int {
	return cmp.Or(slices.Compare(a.trace[:], b.trace[:]), slices.Compare(a.span[:], b.span[:]))
}
