// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// placeForeign puts each span of another source below its parent if the graph has that, and else on the object that its
// resource names. Spans that are each other's parents are put on the object, and so are those below a span that is about none.
func (g *Graph) placeForeign(entries []*Entry) {
	if !hasForeign(entries) {
		return
	}
	places := make(map[spanKey]*Entry, len(entries))
	anchors := make(map[pcommon.SpanID]*Entry)
	for _, e := range entries {
		places[spanKey{e.Span.TraceID(), e.Span.SpanID()}] = e
		if e.anchor == nil {
			anchors[e.Span.SpanID()] = e
		}
	}
	var homeless []*Entry
	for _, e := range entries {
		if e.Source != Foreign {
			continue
		}
		parent := e.Span.ParentSpanID()
		above, ok := places[spanKey{e.Span.TraceID(), parent}]
		if (!ok || parent.IsEmpty() || above == e) && e.anchor != nil {
			above = anchors[e.anchor.Span]
		} else if !ok || parent.IsEmpty() {
			above = nil
		}
		if above != nil && !isBelow(above, e) {
			e.parent = above
			above.Children = append(above.Children, e)
			continue
		}
		if !g.placeOnObject(e) {
			homeless = append(homeless, e)
		}
	}
	for ; len(homeless) > 0; homeless = homeless[1:] {
		e := homeless[0]
		for _, child := range e.Children {
			child.parent = nil
			if !g.placeOnObject(child) {
				homeless = append(homeless, child)
			}
		}
		e.Children = nil
		g.homeless++
	}
	for _, o := range g.objects {
		slices.SortFunc(o.all, compareEntries)
	}
}

func hasForeign(entries []*Entry) bool {
	for _, e := range entries {
		if e.Source == Foreign {
			return true
		}
	}
	return false
}

// isBelow is true if e is other or above it. Paths are bounded, so that a hostile chain does not cost its square.
func isBelow(e, other *Entry) bool {
	for range maxForeignDepth {
		if e == nil {
			return false
		}
		if e == other {
			return true
		}
		e = e.parent
	}
	return true
}

const maxForeignDepth = 64

// placeOnObject is false of a span that is about no object.
func (g *Graph) placeOnObject(e *Entry) bool {
	r := e.resource
	if e.anchor != nil {
		if o, ok := g.objects[e.anchor.Object]; ok {
			o.all = append(o.all, e)
			return true
		}
	} else if s, ok := g.spans[spanKey{e.Span.TraceID(), e.Span.ParentSpanID()}]; ok {
		r = s.resource
	}
	if !r.named {
		return false
	}
	o := g.object(r)
	o.all = append(o.all, e)
	return true
}
