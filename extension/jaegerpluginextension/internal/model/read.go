// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// resource is the object that a stored resource names.
type resource struct {
	objectspan.Resource
	id    identity.ID
	attrs pcommon.Map
	named bool
}

// objectSpan is the stored span of an object itself. seen is when its owners were told, zero if it does not say.
type objectSpan struct {
	key        spanKey
	parent     pcommon.SpanID
	start, end pcommon.Timestamp
	span       ptrace.Span
	resource   *resource
	owners     string
	seen       time.Time
	ownTrace   string // where it was its own root before its owner was known
}

// linkSpan is the stored span of a reference.
type linkSpan struct {
	Link
	resource *resource
	start    pcommon.Timestamp
}

func (g *Graph) read(td ptrace.Traces, anchor *Anchor) {
	g.settled = false
	for _, rs := range td.ResourceSpans().All() {
		r := readResource(rs.Resource().Attributes())
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				g.readSpan(span, r, anchor)
			}
		}
	}
}

func readResource(attrs pcommon.Map) *resource {
	r := &resource{attrs: attrs}
	r.Resource, r.named = objectspan.ReadResource(attrs)
	if v, ok := attrs.Get(attr.ObjectID); ok && r.named {
		if r.id, ok = ParseID(v.AsString()); ok {
			return r
		}
	}
	if r.named {
		r.id = identity.ObjectID(r.Object)
	}
	return r
}

// ParseID reads an object id as the attribute kelemetry.object.id has it.
func ParseID(text string) (id identity.ID, ok bool) {
	if hex.DecodedLen(len(text)) != len(id) || len(text)%2 != 0 {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil
}

// facts are what is read of a span's attributes, in one pass.
type facts struct {
	kind, version, owners, seen, ownTrace string
}

func factsOf(attrs pcommon.Map) (f facts) {
	for key, value := range attrs.All() {
		switch key {
		case attr.SpanType:
			f.kind = value.AsString()
		case attr.ObjectResourceVersion:
			f.version = value.AsString()
		case attr.Owners:
			f.owners = value.AsString()
		case attr.OwnersSeen:
			f.seen = value.AsString()
		case attr.OwnTrace:
			f.ownTrace = value.AsString()
		}
	}
	return f
}

func (g *Graph) readSpan(span ptrace.Span, r *resource, anchor *Anchor) {
	f := factsOf(span.Attributes())
	if anchor != nil {
		f.kind = ""
	}
	switch f.kind {
	case attr.SpanTypeObject:
		g.readObjectSpan(span, r, f)
	case attr.SpanTypeLink:
		g.readLink(span, r)
	case attr.SpanTypeAudit, attr.SpanTypeEvent, attr.SpanTypeWatch:
		if !r.named {
			g.nameless++
			return
		}
		g.readEntry(span, r, f, Source(f.kind), nil)
	default:
		g.readEntry(span, r, f, Foreign, anchor)
	}
}

func (g *Graph) readObjectSpan(span ptrace.Span, r *resource, f facts) {
	if !r.named {
		g.nameless++
		return
	}
	start, end := times(span)
	o := &objectSpan{
		key: spanKey{span.TraceID(), span.SpanID()}, parent: span.ParentSpanID(), start: start, end: end,
		span: span, resource: r, owners: f.owners, ownTrace: f.ownTrace,
	}
	if f.seen != "" {
		o.seen, _ = time.Parse(time.RFC3339Nano, f.seen)
	}
	known, ok := g.spans[o.key]
	switch {
	case !ok && !g.isFull(), ok && compareObjectSpans(o, known) > 0:
		g.spans[o.key] = o
	}
}

// compareObjectSpans tells which of two copies counts, and of two spans of one object which describes it: that whose
// owners were seen last, and then that which has more tags. The rest makes the order total.
func compareObjectSpans(a, b *objectSpan) int {
	return cmp.Or(
		a.seen.Compare(b.seen),
		cmp.Compare(a.span.Attributes().Len(), b.span.Attributes().Len()),
		cmp.Compare(a.span.Links().Len(), b.span.Links().Len()),
		cmp.Compare(a.owners, b.owners),
		cmp.Compare(a.resource.attrs.Len(), b.resource.attrs.Len()),
		cmp.Compare(a.resource.UID, b.resource.UID),
		slices.Compare(a.resource.id[:], b.resource.id[:]),
		cmp.Compare(a.start, b.start),
		cmp.Compare(a.end, b.end),
		compareIDs(a.parent, b.parent),
		compareKeys(a.key, b.key),
	)
}

func (g *Graph) readEntry(span ptrace.Span, r *resource, f facts, source Source, anchor *Anchor) {
	e := &Entry{
		Source: source, Span: span, Resource: r.attrs, UID: r.UID, Version: f.version,
		resource: r, owners: f.owners, anchor: anchor,
	}
	e.Start, e.End = times(span)
	e.Start = exactTime(e)
	e.End = max(e.Start, e.End)
	key := entryKey{span.SpanID(), r.id}
	known, ok := g.entries[key]
	switch {
	case !ok && !g.isFull(), ok && compareCopies(e, known) > 0:
		g.entries[key] = e
	}
}

// compareCopies tells which of two spans of one ID counts: the one that tells more. Later copies have a diff, or stand for
// more spans. The rest makes it a total order over all that the graph itself reads.
func compareCopies(a, b *Entry) int {
	x, y := a.Span, b.Span
	xTrace, yTrace := x.TraceID(), y.TraceID()
	return cmp.Or(
		cmp.Compare(folded(x), folded(y)),
		cmp.Compare(x.Events().Len(), y.Events().Len()),
		cmp.Compare(x.Attributes().Len(), y.Attributes().Len()),
		slices.Compare(xTrace[:], yTrace[:]),
		cmp.Compare(a.UID, b.UID),
		cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.End, b.End),
		cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.owners, b.owners),
		cmp.Compare(x.Name(), y.Name()),
		compareIDs(x.ParentSpanID(), y.ParentSpanID()),
		cmp.Compare(a.Resource.Len(), b.Resource.Len()),
	)
}

// folded is how many spans one stands for, on those that stand for many.
func folded(span ptrace.Span) int64 {
	if v, ok := span.Attributes().Get(attr.FoldedCount); ok && v.Type() == pcommon.ValueTypeInt {
		return v.Int()
	}
	return 0
}

func (g *Graph) readLink(span ptrace.Span, r *resource) {
	link, ok := readLink(span.Attributes())
	if !ok || !r.named {
		g.nameless++
		return
	}
	key := entryKey{span.SpanID(), r.id}
	known, ok := g.links[key]
	switch {
	case !ok && !g.isFull(), ok && compareLinks(&link, &known.Link) < 0:
		start, _ := times(span)
		g.links[key] = &linkSpan{Link: link, resource: r, start: start}
	}
}

// latest is the last time that JSON and Jaeger can tell; what lies beyond is nonsense.
const latest = pcommon.Timestamp(1) << 62

func times(span ptrace.Span) (start, end pcommon.Timestamp) {
	start = min(span.StartTimestamp(), latest)
	return start, max(start, min(span.EndTimestamp(), latest))
}
