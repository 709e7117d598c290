// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// place is where the spans of an object in a window belong.
type place struct {
	trace pcommon.TraceID
	// parent is the ID of the object's own span in that trace.
	parent pcommon.SpanID
	window time.Time
	// chain leads from the object to the root.
	chain []*hierarchy.Node
	cut   hierarchy.Cut
	// connected is set when the link spans of the object are due there.
	connected bool
	// load is 1 more than the index of the place among the loads of the batch, and 0 before it is there.
	load int
	// planted is set when the object spans of the chain are due.
	planted bool
}

// placing computes places, each once.
type placing struct {
	places map[placeKey]*place
	traces map[traceKey]pcommon.TraceID
	spans  map[objectSpanKey]int
	due    []objectSpan
	// carried are object spans that came in, by what they are made anew as: what they tell besides stays.
	carried map[objectSpanKey]ptrace.Span
	buf     []*hierarchy.Node
	// slab and chains are what places and their chains are cut from, to allocate many at once; spare is the slab to begin with.
	slab, spare []place
	chains      []*hierarchy.Node
}

// reset empties it, and keeps its space.
func (p *placing) reset() placing {
	clear(p.places)
	clear(p.traces)
	clear(p.spans)
	clear(p.due[:cap(p.due)])
	clear(p.spare[:cap(p.spare)])
	clear(p.chains)
	clear(p.buf[:cap(p.buf)])
	return placing{
		places: p.places, traces: p.traces, spans: p.spans, due: p.due[:0], buf: p.buf[:0], spare: p.spare, chains: p.chains[:0],
	}
}

type placeKey struct {
	node   *hierarchy.Node
	window int64
}

type traceKey struct {
	root   identity.ID
	window int64
}

// place decides where each member goes.
func (b *batch) place() {
	p := &b.placing
	if p.places == nil {
		p.places = make(map[placeKey]*place, len(b.groups))
		p.traces = make(map[traceKey]pcommon.TraceID)
		p.spans = make(map[objectSpanKey]int, len(b.groups))
	}
	p.due = slices.Grow(p.due, len(b.groups))
	p.spare = slices.Grow(p.spare[:0], len(b.groups))
	p.slab = p.spare
	p.chains = slices.Grow(p.chains, 3*len(b.groups))
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		for j := begin; j < g.end; j++ {
			b.placeMember(g.node, &b.members[j])
		}
		begin = g.end
	}
}

func (b *batch) placeMember(node *hierarchy.Node, m *member) {
	m.place = b.placeOf(node, b.engine.window.Start(timeOf(m.span.StartTimestamp())))
	switch {
	case b.isSettled(node, m):
		if m.kind != object {
			b.stats.kept++
		}
		m.kind = settled
		return
	case m.kind == object:
		m.kind = consumed
		b.placing.carry(m.place, node, m.span)
		b.consumed++
	}
	b.placing.plant(m.place)
}

func (p *placing) carry(at *place, node *hierarchy.Node, span ptrace.Span) {
	if span.TraceID() != at.trace {
		return
	}
	if p.carried == nil {
		p.carried = make(map[objectSpanKey]ptrace.Span)
	}
	p.carried[objectSpanKey{at.trace, node.ID}] = span
}

func (b *batch) placeOf(node *hierarchy.Node, window time.Time) *place {
	p := &b.placing
	key := placeKey{node, window.Unix()}
	if known, ok := p.places[key]; ok {
		return known
	}
	chain, cut := node.Chain(b.engine.maxDepth, p.buf)
	p.buf = chain
	made := p.cut(place{window: window, chain: chain, cut: cut})
	made.trace = p.traceOf(chain[len(chain)-1], window)
	made.parent = identity.ObjectSpanID(made.trace, node.ID)
	p.places[key] = made
	switch cut {
	case hierarchy.CutCycle:
		b.stats.cutByCycle++
	case hierarchy.CutDepth:
		b.stats.cutByDepth++
	}
	return made
}

// cut makes room for a place. Places and chains that were cut before stay valid: a full slab is left to them.
func (p *placing) cut(at place) *place {
	begin := len(p.chains)
	p.chains = append(p.chains, at.chain...)
	at.chain = p.chains[begin:len(p.chains):len(p.chains)]
	if len(p.slab) == cap(p.slab) {
		p.slab = make([]place, 0, slabSize)
	}
	p.slab = append(p.slab, at)
	return &p.slab[len(p.slab)-1]
}

const slabSize = 64

func (p *placing) traceOf(root *hierarchy.Node, window time.Time) pcommon.TraceID {
	key := traceKey{root.ID, window.Unix()}
	trace, ok := p.traces[key]
	if !ok {
		trace = identity.TraceID(root.Object, window)
		p.traces[key] = trace
	}
	return trace
}

// isSettled is true of a span that another k8slink placed, when this one cannot tell better: here the chain ends with
// an object of unknown owner, and the trace that the span is in belongs to none of the chain. Without this rule a
// k8slink that was just restarted would undo the work of the one before it in the pipeline. An object span in a trace
// that is not the object's own place is settled in any case: it is there for the sake of others, which it may own.
func (b *batch) isSettled(node *hierarchy.Node, m *member) bool {
	trace, own := m.span.TraceID(), m.span.ParentSpanID()
	if m.kind == object {
		own = m.span.SpanID()
	}
	if own.IsEmpty() || trace == m.place.trace || own != identity.ObjectSpanID(trace, node.ID) {
		return false
	}
	if m.kind == object {
		return true
	}
	root := m.place.chain[len(m.place.chain)-1]
	if m.place.cut != hierarchy.Whole || root.Rooted() {
		return false
	}
	for _, n := range m.place.chain {
		if b.placing.traceOf(n, m.place.window) == trace {
			return false
		}
	}
	return true
}
