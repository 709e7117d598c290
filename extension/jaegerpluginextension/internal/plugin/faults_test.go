// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// requireSound: a view has one root, whatever was stored, the asked ID on each span, and no span twice or without its parent.
func requireSound(t require.TestingT, td ptrace.Traces, id pcommon.TraceID) {
	ids, parents := map[pcommon.SpanID]bool{}, map[pcommon.SpanID]bool{}
	roots := 0
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				require.Equal(t, id, span.TraceID())
				require.False(t, ids[span.SpanID()])
				require.GreaterOrEqual(t, span.EndTimestamp(), span.StartTimestamp())
				ids[span.SpanID()] = true
				if parent := span.ParentSpanID(); parent.IsEmpty() {
					roots++
				} else {
					parents[parent] = true
				}
			}
		}
	}
	require.Equal(t, 1, roots)
	for parent := range parents {
		require.True(t, ids[parent])
	}
}

// TestBrokenSpans: each span of what is stored is damaged in some way; views are sound all the same.
func TestBrokenSpans(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	damages := map[string]func(span ptrace.Span, resource pcommon.Map){
		"its own parent":  func(s ptrace.Span, _ pcommon.Map) { s.SetParentSpanID(s.SpanID()) },
		"an orphan":       func(s ptrace.Span, _ pcommon.Map) { s.SetParentSpanID(pcommon.SpanID{9, 9}) },
		"no IDs":          func(s ptrace.Span, _ pcommon.Map) { s.SetSpanID(pcommon.SpanID{}) },
		"upside down":     func(s ptrace.Span, _ pcommon.Map) { s.SetEndTimestamp(s.StartTimestamp() - 1e12) },
		"no times":        func(s ptrace.Span, _ pcommon.Map) { s.SetStartTimestamp(0); s.SetEndTimestamp(0) },
		"the end of time": func(s ptrace.Span, _ pcommon.Map) { s.SetEndTimestamp(1<<64 - 1) },
		"no type":         func(s ptrace.Span, _ pcommon.Map) { s.Attributes().Remove(attr.SpanType) },
		"a nonsense type": func(s ptrace.Span, _ pcommon.Map) { s.Attributes().PutInt(attr.SpanType, 7) },
		"nonsense owners": func(s ptrace.Span, _ pcommon.Map) { s.Attributes().PutStr(attr.Owners, `[{"kind":{}`) },
		"owned by itself": func(s ptrace.Span, _ pcommon.Map) {
			s.Attributes().PutStr(attr.Owners, `[{"apiVersion":"apps/v1","kind":"Deployment","name":"hello","controller":true}]`)
		},
		"no text":           func(s ptrace.Span, _ pcommon.Map) { s.SetName("\xff\x00\x1b[31m") },
		"nonsense id":       func(_ ptrace.Span, r pcommon.Map) { r.PutStr(attr.ObjectID, "zz") },
		"an object of none": func(_ ptrace.Span, r pcommon.Map) { r.Remove(attr.ObjectResource); r.Remove(attr.ObjectKind) },
		"another life":      func(_ ptrace.Span, r pcommon.Map) { r.PutStr(attr.ObjectUID, "other") },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			whole := storagetest.NewWorld(2)
			w := storagetest.NewWorld(0)
			for _, id := range whole.TraceIDs() {
				for td, err := range whole.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: id}}) {
					require.NoError(t, err)
					copied := ptrace.NewTraces()
					td.CopyTo(copied)
					for _, resource := range copied.ResourceSpans().All() {
						if span := resource.ScopeSpans().At(0).Spans().At(0); random.IntN(3) > 0 {
							damage(span, resource.Resource().Attributes())
						}
					}
					w.Add(copied)
					w.Add(copied) // and everything twice
				}
			}
			p := newPlugin(t, &w.Store)
			for _, m := range p.Modes.List() {
				d, _ := identity.NewDisplay(m.ID, w.Deployment.ID(), w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
				view, err := p.Open(t.Context(), d.TraceID())
				require.NoError(t, err)
				requireSound(t, view, d.TraceID())
			}
			for td, err := range p.FindTraces(t.Context(), query(w, "tree [full tree]", "", nil)) {
				require.NoError(t, err)
				root, _ := rootOf(td)
				requireSound(t, td, root.TraceID())
			}
		})
	}
}

// TestAHugeTrace is shown as far as the limits go, and says so.
func TestAHugeTrace(t *testing.T) {
	const spans = 40_000
	w := storagetest.NewWorld(0)
	td := ptrace.NewTraces()
	for stored, err := range w.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: w.TraceIDs()[0]}}) {
		require.NoError(t, err)
		stored.ResourceSpans().At(1).CopyTo(td.ResourceSpans().AppendEmpty())
	}
	all := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	template := ptrace.NewSpan()
	all.At(0).CopyTo(template)
	for i := range spans {
		span := all.AppendEmpty()
		template.CopyTo(span)
		span.SetSpanID(pcommon.SpanID{byte(i), byte(i >> 8), byte(i >> 16), 7})
	}
	huge := &oneTrace{Store: &w.Store, td: td}
	p := newPlugin(t, huge)
	d, _ := identity.NewDisplay(0x20000000, w.Deployment.ID(), w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
	view, err := p.Open(t.Context(), d.TraceID())
	require.NoError(t, err)
	requireSound(t, view, d.TraceID())
	root, _ := rootOf(view)
	assert.Equal(t, p.Limits.MaxEntries, root.Events().Len())
	assert.NotEmpty(t, warningsOf(view))

	p.Collect.Limits.Spans, p.Search.Limits.Spans = 1000, 1000
	view, err = p.Open(t.Context(), d.TraceID())
	require.NoError(t, err)
	assert.Contains(t, warningsOf(view), "a view has at most 1000 spans")
	found := collectAll(t, p.FindTraces(t.Context(), query(w, "", "prod", map[string]any{"name": "hello"})))
	require.Len(t, found, 2)
	assert.Contains(t, warningsOf(found[0]), "only a part was searched, because there are more than 1000 spans")
}

// oneTrace answers every search with one trace.
type oneTrace struct {
	*storagetest.Store
	td ptrace.Traces
}

func TestHostileQueries(t *testing.T) {
	w := storagetest.NewWorld(1)
	p := newPlugin(t, &w.Store)
	for _, text := range []string{"\xff", strings.Repeat("x", 1<<20), "[", "]", "tracing [", "tracing []", "\x00", `"`, "tracing [links, links]"} {
		for _, q := range []jaegerstorage.Query{query(w, text, "", nil), query(w, "", text, nil), query(w, "", "", map[string]any{text: text})} {
			for td, err := range p.FindTraces(t.Context(), q) {
				require.NoError(t, err)
				root, _ := rootOf(td)
				requireSound(t, td, root.TraceID())
			}
		}
	}
	q := query(w, "", "", nil)
	q.StartMin, q.StartMax, q.Limit = time.Unix(1, 0), time.Unix(1<<40, 0), 1<<31-1
	for _, err := range p.FindTraces(t.Context(), q) {
		require.NoError(t, err)
	}
}

func (o *oneTrace) FindTraces(context.Context, jaegerstorage.Query) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) { yield(o.td, nil) }
}
