// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// move writes traces and parents, and takes the owner references off: they belong to the object's own span.
func (b *batch) move() {
	moved := b.movedSpans()
	for i := range b.members {
		m := &b.members[i]
		switch m.kind {
		case native:
			b.leave(m)
			m.span.SetTraceID(m.place.trace)
			m.span.SetParentSpanID(m.place.parent)
		case linking:
			b.leave(m)
			moveLinking(m)
		case foreign:
			b.leave(m)
			moveForeign(m, moved)
		}
	}
}

func (b *batch) leave(m *member) {
	if m.taught {
		m.span.Attributes().Remove(attr.Owners)
	}
	if m.span.TraceID() == m.place.trace {
		b.stats.kept++
	} else {
		b.stats.rehomed++
	}
}

// moveLinking gives a link span the ID that it has in its new trace, if it says what it stands for.
func moveLinking(m *member) {
	if attrs := m.span.Attributes(); m.span.TraceID() != m.place.trace {
		var target identity.ID
		if id, err := hex.DecodeString(text(attrs, attr.LinkTargetID)); err == nil && copy(target[:], id) == len(target) {
			node := m.place.chain[0]
			m.span.SetSpanID(identity.LinkSpanID(m.place.trace, node.ID, target, text(attrs, attr.LinkRole), text(attrs, attr.LinkClass)))
		}
	}
	m.span.SetTraceID(m.place.trace)
	m.span.SetParentSpanID(m.place.parent)
}

// move is one span's way from a trace to a trace.
type move struct {
	span     pcommon.SpanID
	from, to pcommon.TraceID
}

// movedSpans indexes all moves, if there is a span whose parent might come along.
func (b *batch) movedSpans() map[move]struct{} {
	needed := false
	for i := range b.members {
		m := &b.members[i]
		if m.kind == foreign && !m.span.ParentSpanID().IsEmpty() && m.span.TraceID() != m.place.trace {
			needed = true
			break
		}
	}
	if !needed {
		return nil
	}
	moved := make(map[move]struct{}, len(b.members))
	for i := range b.members {
		if m := &b.members[i]; m.kind == foreign || m.kind == native {
			moved[move{m.span.SpanID(), m.span.TraceID(), m.place.trace}] = struct{}{}
		}
	}
	return moved
}

// moveForeign keeps a parent that is, or comes, in the same trace. What is left behind stays within reach by links:
// to where the span was, because children may be there, and to the parent it had.
func moveForeign(m *member, moved map[move]struct{}) {
	from, parent := m.span.TraceID(), m.span.ParentSpanID()
	if from == m.place.trace {
		if parent.IsEmpty() {
			m.span.SetParentSpanID(m.place.parent)
		}
		return
	}
	m.span.SetTraceID(m.place.trace)
	if !from.IsEmpty() {
		appendLink(m.span, from, m.span.SpanID())
	}
	_, comesAlong := moved[move{parent, from, m.place.trace}]
	if comesAlong && !parent.IsEmpty() && parent != m.span.SpanID() {
		return
	}
	m.span.SetParentSpanID(m.place.parent)
	if !from.IsEmpty() && !parent.IsEmpty() {
		appendLink(m.span, from, parent)
	}
}

func appendLink(span ptrace.Span, trace pcommon.TraceID, id pcommon.SpanID) {
	link := span.Links().AppendEmpty()
	link.SetTraceID(trace)
	link.SetSpanID(id)
	link.TraceState().FromRaw(span.TraceState().AsRaw())
}

// removeConsumed takes the object spans that came in out of the batch, and what became empty thereby.
func (b *batch) removeConsumed() {
	if b.consumed == 0 {
		return
	}
	gone := make(map[ptrace.Span]struct{}, b.consumed)
	for i := range b.members {
		if b.members[i].kind == consumed {
			gone[b.members[i].span] = struct{}{}
		}
	}
	b.traces.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		emptied := false
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			before := ss.Spans().Len()
			ss.Spans().RemoveIf(func(span ptrace.Span) bool {
				_, ok := gone[span]
				return ok
			})
			left := ss.Spans().Len()
			emptied = emptied || left < before
			return left == 0 && left < before
		})
		return emptied && rs.ScopeSpans().Len() == 0
	})
}
