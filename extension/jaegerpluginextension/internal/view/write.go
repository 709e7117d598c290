// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

const (
	scopeName = "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"
	// warningsKey is where Jaeger looks for warnings.
	warningsKey = "@jaeger@warnings"
	// hostID is the same for all of a view: Jaeger would correct the clocks of hosts that differ, and warn of what begins before the span
	// that it is below, or lasts longer. The API of Jaeger v2.13 tells hosts by the second of the keys.
	hostIDKey, hostIPKey = "host.id", "ip"
	hostID               = "kelemetry"
)

// writer makes spans of nodes.
type writer struct {
	*tree
	traces    ptrace.Traces
	used      map[pcommon.SpanID]bool
	resources map[any]ptrace.SpanSlice // by object or by the resource of another source
	pending   []pendingLinks
}

// pendingLinks are links of a stored span. They wait until all span IDs of the view are known.
type pendingLinks struct {
	to, from ptrace.Span
}

func (t *tree) write() ptrace.Traces {
	w := &writer{tree: t, traces: ptrace.NewTraces(), used: make(map[pcommon.SpanID]bool), resources: make(map[any]ptrace.SpanSlice)}
	type placed struct {
		n      *node
		parent pcommon.SpanID
	}
	stack := []placed{{n: t.root()}}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		id := w.span(p.n, p.parent)
		for i := len(p.n.children) - 1; i >= 0; i-- {
			stack = append(stack, placed{p.n.children[i], id})
		}
	}
	w.copyLinks()
	return w.traces
}

func (w *writer) span(n *node, parent pcommon.SpanID) pcommon.SpanID {
	span := w.spansOf(n).AppendEmpty()
	id := w.spanID(n, parent)
	span.SetTraceID(w.options.TraceID)
	span.SetSpanID(id)
	span.SetParentSpanID(parent)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetName(n.name)
	span.SetStartTimestamp(n.start)
	span.SetEndTimestamp(n.end)
	switch n.kind {
	case entryNode:
		putItem(span.Attributes(), n.entry, true)
		n.entry.Span.Status().CopyTo(span.Status())
	case foreignNode:
		w.copyForeign(span, n.foreign.Span)
	case objectNode, virtualNode:
		if n.life != nil {
			w.putTags(span, n.life.Spans)
		}
		span.Events().EnsureCapacity(len(n.items))
		for _, it := range n.items {
			log := span.Events().AppendEmpty()
			log.SetName(it.title())
			log.SetTimestamp(it.Start)
			putItem(log.Attributes(), it, false)
		}
	}
	for _, f := range n.fields {
		switch value := f.value.(type) {
		case string:
			span.Attributes().PutStr(f.key, value)
		case []string:
			putStrings(span.Attributes(), f.key, value)
		}
	}
	if len(n.warnings) > 0 {
		putStrings(span.Attributes(), warningsKey, n.warnings)
	}
	for _, ref := range n.refs {
		link := span.Links().AppendEmpty()
		link.SetTraceID(w.options.DisplayID(ref))
		link.SetSpanID(identity.ObjectSpanID(link.TraceID(), ref))
	}
	return id
}

// putTags copies what the stored spans of an object tell of it: tags, of which the newest counts, and traces of others that it
// is part of.
func (w *writer) putTags(to ptrace.Span, stored []ptrace.Span) {
	for _, span := range stored {
		for key, v := range span.Attributes().All() {
			annotation, isContext := strings.CutPrefix(key, attr.TraceContextPrefix)
			switch {
			case isContext:
				to.Attributes().PutStr(fieldTraceContext+annotation, v.AsString())
			case !strings.HasPrefix(key, internalPrefix) && key != attr.Owners:
				v.CopyTo(to.Attributes().PutEmpty(key))
			}
		}
		if span.Links().Len() > 0 {
			w.pending = append(w.pending, pendingLinks{to, span})
		}
	}
}

// copyForeign keeps a span of another source as it is, but for what would confuse the page.
func (w *writer) copyForeign(to, from ptrace.Span) {
	for key, v := range from.Attributes().All() {
		if !strings.HasPrefix(key, internalPrefix) {
			v.CopyTo(to.Attributes().PutEmpty(key))
		}
	}
	from.Status().CopyTo(to.Status())
	from.Events().CopyTo(to.Events())
	to.Events().Sort(func(a, b ptrace.SpanEvent) bool { return a.Timestamp() < b.Timestamp() })
	if from.Links().Len() > 0 {
		w.pending = append(w.pending, pendingLinks{to, from})
	}
}

// copyLinks copies the links that lead out of the page. Jaeger's UI takes any other for one within, whatever its trace ID.
func (w *writer) copyLinks() {
	for _, p := range w.pending {
		for _, link := range p.from.Links().All() {
			if !w.used[link.SpanID()] && link.TraceID() != w.options.TraceID && !hasLink(p.to, link) {
				link.CopyTo(p.to.Links().AppendEmpty())
			}
		}
	}
}

func hasLink(span ptrace.Span, link ptrace.SpanLink) bool {
	for _, known := range span.Links().All() {
		if known.TraceID() == link.TraceID() && known.SpanID() == link.SpanID() {
			return true
		}
	}
	return false
}

// spanID is computed from what the span shows, so that it is the same each time. The span of an entry has its stored ID.
func (w *writer) spanID(n *node, parent pcommon.SpanID) pcommon.SpanID {
	var id pcommon.SpanID
	switch n.kind {
	case objectNode:
		id = identity.ObjectSpanID(w.options.TraceID, n.object.ID)
	case entryNode:
		id = n.entry.Span.SpanID()
	case foreignNode:
		id = n.foreign.Span.SpanID()
	case virtualNode:
		if id = identity.ObjectSpanID(w.options.TraceID, n.object.ID); !parent.IsEmpty() {
			id = another(id, n.name, 0)
		}
	}
	for i := 1; id.IsEmpty() || w.used[id]; i++ {
		id = another(id, n.name, i)
	}
	w.used[id] = true
	return id
}

// another computes an ID from one that is taken.
func another(id pcommon.SpanID, name string, n int) pcommon.SpanID {
	b := binary.BigEndian.AppendUint64(append([]byte("view-span"), id[:]...), uint64(n))
	sum := sha256.Sum256(append(b, name...))
	return pcommon.SpanID(sum[:8])
}

// spansOf returns the spans of the node's resource, which is made when it is first needed.
func (w *writer) spansOf(n *node) ptrace.SpanSlice {
	var key any = n.object
	switch {
	case n.life != nil:
		key = n.life
	case n.entry != nil && n.entry.on.life != nil:
		key = n.entry.on.life
	case n.foreign != nil:
		key = n.foreign.Resource
	}
	if spans, ok := w.resources[key]; ok {
		return spans
	}
	rs := w.traces.ResourceSpans().AppendEmpty()
	attrs := rs.Resource().Attributes()
	if n.foreign != nil {
		copyResource(attrs, n.foreign.Resource)
	} else {
		from := n.object.Lives[len(n.object.Lives)-1].Attributes
		switch {
		case n.life != nil:
			from = n.life.Attributes
		case n.entry != nil && n.entry.on.life != nil:
			from = n.entry.on.life.Attributes
		}
		copyResource(attrs, from)
		attrs.PutStr(attr.ServiceName, n.object.Object.Resource)
	}
	attrs.PutStr(hostIDKey, hostID)
	attrs.PutStr(hostIPKey, hostID)
	scope := rs.ScopeSpans().AppendEmpty()
	scope.Scope().SetName(scopeName)
	w.resources[key] = scope.Spans()
	return scope.Spans()
}

func copyResource(to, from pcommon.Map) {
	to.EnsureCapacity(from.Len() + 3)
	for key, v := range from.All() {
		if !strings.HasPrefix(key, internalPrefix) {
			v.CopyTo(to.PutEmpty(key))
		}
	}
	if _, ok := to.Get(attr.ServiceName); !ok {
		to.PutStr(attr.ServiceName, "unknown")
	}
}

func putStrings(attrs pcommon.Map, key string, values []string) {
	list := attrs.PutEmptySlice(key)
	list.EnsureCapacity(len(values))
	for _, value := range slices.Compact(slices.Clone(values)) {
		list.AppendEmpty().SetStr(value)
	}
}
