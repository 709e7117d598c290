// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"encoding/hex"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// objectSpan is the span of an object itself, which is as long as the window.
type objectSpan struct {
	node   *hierarchy.Node
	window time.Time
	trace  pcommon.TraceID
	span   pcommon.SpanID
	parent pcommon.SpanID
	// profile has what the span tells of the object's content.
	profile *profile
	// late is set if the object was shown as its own root before.
	late bool
	// folded is how many spans on the object were folded so far, if the batch adds to them; exact if the very number counts.
	folded int64
	exact  bool
}

type objectSpanKey struct {
	trace pcommon.TraceID
	id    identity.ID
}

// plant makes the object spans of a place's chain due, each once.
func (p *placing) plant(at *place) {
	if at.planted {
		return
	}
	at.planted = true
	var parent pcommon.SpanID
	for i := len(at.chain) - 1; i >= 0; i-- {
		node := at.chain[i]
		key := objectSpanKey{at.trace, node.ID}
		known, ok := p.spans[key]
		switch {
		case !ok:
			known = len(p.due)
			p.spans[key] = known
			span := identity.ObjectSpanID(at.trace, node.ID)
			p.due = append(p.due, objectSpan{node: node, window: at.window, trace: at.trace, span: span, parent: parent})
		case node.SpeaksBefore(p.due[known].node):
			// Two lives of the object are in this trace. The span is that of the later one.
			p.due[known].node, p.due[known].parent = node, parent
		}
		parent = p.due[known].span
	}
}

// emit adds the object spans that are due and were not sent before. They go to the resource of their object if the
// batch has it.
func (b *batch) emit() {
	if b.engine.needsContents() {
		b.engine.profiles.recall(b.placing.due)
	}
	b.engine.orphans.mark(b.placing.due)
	b.folded.mark(b.placing.due)
	pending, keys := b.engine.sent.missing(b.placing.due)
	for i := range pending {
		o := &pending[i]
		span := b.engine.scopeIn(b.homeOf(o.node)).Spans().AppendEmpty()
		o.write(span, b.engine.window)
		if before, ok := b.placing.carried[objectSpanKey{o.trace, o.node.ID}]; ok && o.profile == nil {
			carryOver(before, span)
		}
	}
	b.emitted, b.orphaned = keys, orphansOf(pending)
	b.stats.objectSpans = int64(len(pending))
}

// homeOf returns the resource for spans on an object that are made here.
func (b *batch) homeOf(node *hierarchy.Node) ptrace.ResourceSpans {
	if b.homes == nil {
		b.homes = b.findHomes()
	}
	home, ok := b.homes[node]
	if !ok {
		home = b.traces.ResourceSpans().AppendEmpty()
		node.CopyTo(home.Resource().Attributes())
		b.homes[node] = home
	}
	return home
}

// carryOver keeps the tags and links of an object span that another k8slink made, which may know the object's content.
func carryOver(from, to ptrace.Span) {
	for key, value := range from.Attributes().All() {
		if _, ok := to.Attributes().Get(key); !ok && key != attr.Owners && key != attr.OwnersSeen {
			value.CopyTo(to.Attributes().PutEmpty(key))
		}
	}
	own := to.Links().Len()
	for _, link := range from.Links().All() {
		if own == 0 || to.Links().At(0).SpanID() != link.SpanID() || to.Links().At(0).TraceID() != link.TraceID() {
			link.CopyTo(to.Links().AppendEmpty())
		}
	}
}

func (o *objectSpan) write(span ptrace.Span, window identity.Window) {
	span.SetTraceID(o.trace)
	span.SetSpanID(o.span)
	span.SetParentSpanID(o.parent)
	span.SetName(o.node.SpanName())
	span.SetKind(ptrace.SpanKindInternal)
	span.SetStartTimestamp(timestampOf(o.window))
	span.SetEndTimestamp(timestampOf(window.End(o.window)))
	span.Attributes().PutStr(attr.SpanType, attr.SpanTypeObject)
	if owners, ok := o.node.Owners(); ok {
		span.Attributes().PutStr(attr.Owners, owners.JSON)
	}
	if told, ok := o.node.Told(); ok {
		span.Attributes().PutStr(attr.OwnersSeen, timeOf(told).Format(time.RFC3339Nano))
	}
	if o.profile != nil {
		o.profile.writeTo(span)
	}
	if o.late {
		o.linkBack(span)
	}
	if o.folded > 0 {
		span.Attributes().PutInt(attr.FoldedCount, o.folded)
	}
}

const nanos = 1_000_000_000

// timeOf and timestampOf are each other's inverse for every timestamp, also for nonsensical ones, which overflow
// time.Time's nanoseconds.
func timeOf(t pcommon.Timestamp) time.Time {
	return time.Unix(int64(t/nanos), int64(t%nanos)).UTC()
}

func timestampOf(t time.Time) pcommon.Timestamp {
	seconds, rest := uint64(max(t.Unix(), 0)), uint64(t.Nanosecond())
	if seconds > (math.MaxUint64-rest)/nanos {
		return math.MaxUint64
	}
	return pcommon.Timestamp(seconds*nanos + rest)
}

// scopeIn returns the scope of this component in a resource.
func (e *engine) scopeIn(rs ptrace.ResourceSpans) ptrace.ScopeSpans {
	scopes := rs.ScopeSpans()
	if n := scopes.Len(); n > 0 && scopes.At(n-1).Scope().Name() == e.scopeName {
		return scopes.At(n - 1)
	}
	scope := scopes.AppendEmpty()
	scope.Scope().SetName(e.scopeName)
	scope.Scope().SetVersion(e.scopeVersion)
	return scope
}

// findHomes finds the resource of each object in the batch. A resource of some other source that mentions the object is
// none, because its service name is not the cluster.
func (b *batch) findHomes() map[*hierarchy.Node]ptrace.ResourceSpans {
	homes := make(map[*hierarchy.Node]ptrace.ResourceSpans, len(b.groups))
	for i := range b.groups {
		g := &b.groups[i]
		if !g.home || !isHome(g) {
			continue
		}
		if other, ok := homes[g.node]; !ok || version(g.resource) < version(other) {
			homes[g.node] = g.resource
		}
	}
	return homes
}

// version orders the resources of one object: by what an object may differ in between two of its spans.
func version(rs ptrace.ResourceSpans) string {
	return text(rs.Resource().Attributes(), attr.ObjectAPIVersion)
}

// isHome is true of a resource that carries what objectspan.Resource.CopyTo writes.
func isHome(g *group) bool {
	attrs := g.resource.Resource().Attributes()
	var id [2 * len(g.node.ID)]byte
	hex.Encode(id[:], g.node.ID[:])
	return text(attrs, attr.ObjectID) == string(id[:]) && text(attrs, attr.ServiceName) == g.node.Cluster
}
