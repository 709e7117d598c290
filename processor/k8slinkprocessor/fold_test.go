// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

const looper = "system:serviceaccount:loop:controller"

// loop makes the spans number from to, exclusive, of a controller that patches without end, 20 a second.
func loop(on objectspan.Resource, from, to int, change ...func(i int, span ptrace.Span)) ptrace.Traces {
	batch := objectspan.NewBatch(window, "receiver", "")
	for i := from; i < to; i++ {
		at := noon.Add(time.Duration(i) * 50 * time.Millisecond)
		span := batch.Append(on, attr.SpanTypeAudit, at, at.Add(time.Millisecond))
		span.SetSpanID(identity.AuditSpanID(span.TraceID(), fmt.Sprint(i), identity.AuditComplete))
		span.SetName(looper + " patch status")
		attrs := span.Attributes()
		attrs.PutStr(attr.UserName, looper)
		attrs.PutStr(attr.AuditVerb, "patch")
		attrs.PutStr(attr.AuditSubresource, "status")
		attrs.PutInt(attr.HTTPResponseStatus, 200)
		for _, f := range change {
			f(i, span)
		}
	}
	return batch.Traces()
}

// stored is what a storage keeps that has one span of each ID: the one that stands for most.
func stored(batches ...ptrace.Traces) map[idTriple]flatSpan {
	all := map[idTriple]flatSpan{}
	for _, s := range flatten(batches...) {
		key := idTriple{trace: s.TraceID(), span: s.SpanID()}
		if known, ok := all[key]; !ok || count(s) >= count(known) {
			all[key] = s
		}
	}
	return all
}

func count(s flatSpan) int64 {
	if v, ok := s.Attributes().Get(attr.FoldedCount); ok {
		return v.Int()
	}
	return 0
}

// foldsOf adds up what spans stand for, the objects' own left out.
func foldsOf(spans map[idTriple]flatSpan) (folds int, total int64) {
	for _, s := range spans {
		if n := count(s); n > 0 && s.spanType() != attr.SpanTypeObject {
			folds++
			total += n
		}
	}
	return folds, total
}

// TestFiftyThousandPatches: the trace of a controller that loops stays small, whatever the size of the batches, and says
// how much it was.
func TestFiftyThousandPatches(t *testing.T) {
	const patches = 30_000 // 25 minutes of 20 a second are within the window
	for _, size := range []int{400, 7, 1} {
		n := patches
		if size == 1 {
			n = 3000
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			e := newTestEngine(t)
			var out []ptrace.Traces
			for i := 0; i < n; i += size {
				out = append(out, run(e, loop(pod("a"), i, min(i+size, n))))
			}
			all := stored(out...)
			kept := len(all) - 2 // but for the one that stands for the rest, and the object's own
			assert.GreaterOrEqual(t, kept, 500)
			assert.LessOrEqual(t, kept, 500+32, "the first few are not looked at")
			folds, total := foldsOf(all)
			assert.Equal(t, 1, folds)
			assert.GreaterOrEqual(t, total, int64(n-kept)*95/100)
			assert.LessOrEqual(t, total, int64(n-kept))
			assert.Less(t, len(flatten(out...)), kept+600+30, "nor are there many copies")
			own := all[idTriple{trace: identity.TraceID(pod("a").Object, noon), span: identity.ObjectSpanID(identity.TraceID(pod("a").Object, noon), identity.ObjectID(pod("a").Object))}]
			assert.Greater(t, count(own), int64(n-500)/2, "the object's span says so too")
		})
	}
}

func TestASpanThatStandsForManySaysWhatTheyWere(t *testing.T) {
	e := newTestEngine(t, func(c *Config) { c.Fold.Threshold = 10 })
	run(e, loop(pod("a"), 0, 10))
	td := run(e, loop(pod("a"), 10, 40, func(i int, span ptrace.Span) {
		span.Attributes().PutStr(attr.AuditID, fmt.Sprint(i))
		event := span.Events().AppendEmpty()
		event.SetName(attr.EventDiff)
		event.Attributes().PutStr("status.x (1/2)", "1 -> 2")
		event.Attributes().PutStr("status.x (2/2)", "…")
		event.Attributes().PutStr(fmt.Sprintf("status.y[%d]", i%2), "1 -> 2")
	}))
	for _, s := range flatten(td) {
		if s.spanType() == attr.SpanTypeObject {
			continue
		}
		assert.Equal(t, identity.FoldedSpanID(identity.AuditSpanID(s.TraceID(), "10", identity.AuditComplete)), s.SpanID())
		assert.Equal(t, looper+" patch status", s.Name())
		assert.Equal(t, map[string]any{
			attr.SpanType: "audit", attr.UserName: looper, attr.AuditVerb: "patch", attr.AuditSubresource: "status",
			attr.FoldedCount: int64(30), attr.FoldedFirst: "2026-03-04T12:00:00.5Z", attr.FoldedLast: "2026-03-04T12:00:01.951Z",
			attr.FoldedFields: []any{"status.x", "status.y[0]", "status.y[1]"},
		}, s.Attributes().AsRaw())
		assert.Zero(t, s.Events().Len())
		assert.Equal(t, "2026-03-04T12:00:00.5Z", s.StartTimestamp().AsTime().Format(time.RFC3339Nano))
	}
}

func TestHumansAndFailuresAreNeverFolded(t *testing.T) {
	str := func(key, value string) func(int, ptrace.Span) {
		return func(_ int, span ptrace.Span) { span.Attributes().PutStr(key, value) }
	}
	for name, change := range map[string]func(int, ptrace.Span){
		"a human":          str(attr.UserName, "alice"),
		"an admin":         str(attr.UserName, "system:admin"),
		"somebody unknown": str(attr.UserName, "system:anonymous"),
		"who impersonates": str(attr.AuditImpersonatorName, "alice"),
		"a creation":       str(attr.AuditVerb, "create"),
		"a deletion":       str(attr.AuditVerb, "delete"),
		"a warning": func(_ int, s ptrace.Span) {
			s.Attributes().PutStr(attr.SpanType, "event")
			s.Attributes().PutStr(attr.EventType, "Warning")
		},
		"another source":     func(_ int, s ptrace.Span) { s.Attributes().Remove(attr.SpanType) },
		"an error":           func(_ int, s ptrace.Span) { s.Status().SetCode(ptrace.StatusCodeError) },
		"a conflict":         func(_ int, s ptrace.Span) { s.Attributes().PutInt(attr.HTTPResponseStatus, 409) },
		"a dry run":          func(_ int, s ptrace.Span) { s.Attributes().PutBool(attr.AuditDryRun, true) },
		"an unlike one each": func(i int, s ptrace.Span) { s.Attributes().PutStr(attr.AuditSubresource, fmt.Sprint(i)) },
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestEngine(t, func(c *Config) { c.Fold.Threshold, c.Fold.MaxTracked = 10, 1000 })
			var out []ptrace.Traces
			for i := 0; i < 200; i += 20 {
				out = append(out, run(e, loop(pod("a"), i, i+20, change)))
			}
			folds, _ := foldsOf(stored(out...))
			assert.Zero(t, folds)
			assert.Len(t, spanCounts(out), 200)
		})
	}
}

// TestABatchThatComesAgainIsNotCountedAgain, whether it was accepted before or not, and as it was or as it was left.
func TestABatchThatComesAgainIsNotCountedAgain(t *testing.T) {
	e := newTestEngine(t, func(c *Config) { c.Fold.Threshold = 100 })
	var out []ptrace.Traces
	for i := 0; i < 1000; i += 50 {
		refused := loop(pod("a"), i, i+50)
		attempt(e, refused)
		attempt(e, refused) // as it was left
		out = append(out,
			run(e, loop(pod("a"), i, i+50)), run(e, refused),
			run(e, loop(pod("a"), i, i+50)), // accepted, but the sender does not know
		)
	}
	all := stored(out...)
	folds, total := foldsOf(all)
	assert.Equal(t, 1, folds)
	assert.EqualValues(t, 900, total)
	assert.Len(t, all, 100+2)
}

// TestAfterARestartTheCountGoesOnInAnotherSpan.
func TestAfterARestartTheCountGoesOnInAnotherSpan(t *testing.T) {
	var out []ptrace.Traces
	for _, from := range []int{0, 1000} {
		e := newTestEngine(t)
		for i := from; i < from+1000; i += 100 {
			out = append(out, run(e, loop(pod("a"), i, i+100)))
		}
	}
	folds, total := foldsOf(stored(out...))
	assert.Equal(t, 2, folds)
	assert.EqualValues(t, 1000, total)
}

// TestAFullTraceFoldsEarlier: when many objects together make too many spans.
func TestAFullTraceFoldsEarlier(t *testing.T) {
	rs := replicaSet("rs")
	e := newTestEngine(t, func(c *Config) { c.Fold.MaxTraceSpans = 1000 })
	var out []ptrace.Traces
	for p := range 100 {
		a := pod(fmt.Sprint(p))
		out = append(out, run(e, loop(a, p*100, p*100+100, func(_ int, span ptrace.Span) { span.Attributes().PutStr(attr.Owners, controlledBy(rs)) })))
	}
	all := stored(out...)
	assert.Less(t, len(all), 1000+3*100)
	_, total := foldsOf(all)
	assert.EqualValues(t, 100*100-1000, total)
}

// TestOneBatchFillsATraceAndNoMore: it is folded as far as it has to be, whatever its size and however it is divided among objects.
func TestOneBatchFillsATraceAndNoMore(t *testing.T) {
	const limit, pods = 1000, 40
	rs := replicaSet("rs")
	for _, each := range []int{25, 26, 30, 200} {
		e := newTestEngine(t, func(c *Config) { c.Fold.MaxTraceSpans = limit })
		td := ptrace.NewTraces()
		for p := range pods {
			loop(pod(fmt.Sprint(p)), p*each, (p+1)*each, func(_ int, span ptrace.Span) { span.Attributes().PutStr(attr.Owners, controlledBy(rs)) }).
				ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
		}
		all := stored(run(e, td))
		kept := len(all) - pods - 1 // but for those of the objects and the one that owns them
		assert.LessOrEqual(t, kept, limit)
		assert.GreaterOrEqual(t, kept, min(limit, pods*each)-1, "%d each", each)
		folds, total := foldsOf(all)
		assert.EqualValues(t, pods*each, int64(kept-folds)+total, "each counts")
	}
}

func TestWhatIsCountedIsBounded(t *testing.T) {
	e := newTestEngine(t, func(c *Config) { c.Fold.Threshold, c.Fold.MaxTracked = 2, 5 })
	for i := range 20 {
		run(e, loop(pod(fmt.Sprint(i)), 0, 10))
	}
	assert.EqualValues(t, 15, e.folds.Evictions())
}

func TestFoldingCanBeSwitchedOff(t *testing.T) {
	e := newTestEngine(t, func(c *Config) { c.Fold.Enabled = false })
	assert.Len(t, flatten(run(e, loop(pod("a"), 0, 1000))), 1001)
}

func TestChangesThatAWatchSawAreFolded(t *testing.T) {
	e := newTestEngine(t, func(c *Config) { c.Fold.Threshold = 10 })
	watched := func(manager string) func(int, ptrace.Span) {
		return func(_ int, span ptrace.Span) {
			span.SetName("updated")
			span.Attributes().PutStr(attr.SpanType, attr.SpanTypeWatch)
			span.Attributes().PutEmptySlice(attr.WatchManagers).AppendEmpty().SetStr(manager)
		}
	}
	run(e, loop(pod("a"), 0, 100, watched("controller")))
	td := run(e, loop(pod("a"), 100, 200, watched("controller")))
	folds, total := foldsOf(stored(td))
	assert.Equal(t, 1, folds)
	assert.EqualValues(t, 190, total)
	human := run(e, loop(pod("b"), 0, 100, watched("kubectl-edit")))
	folds, _ = foldsOf(stored(human))
	assert.Zero(t, folds)
}

func TestFieldOf(t *testing.T) {
	for key, want := range map[string]string{"a.b": "a.b", "a.b (2/3)": "a.b", `a["x (y)"]`: `a["x (y)"]`, " (1/2)": " (1/2)"} {
		assert.Equal(t, want, fieldOf(key))
	}
}

func TestFoldedSpansStayInTheirTrace(t *testing.T) {
	rs := replicaSet("rs")
	e := newTestEngine(t, func(c *Config) { c.Fold.Threshold = 10 })
	td := run(e, loop(pod("a"), 0, 100, func(_ int, span ptrace.Span) { span.Attributes().PutStr(attr.Owners, controlledBy(rs)) }))
	trace := identity.TraceID(rs.Object, noon)
	want := map[pcommon.TraceID]bool{trace: true}
	got := map[pcommon.TraceID]bool{}
	for _, s := range flatten(td) {
		got[s.TraceID()] = true
	}
	assert.Equal(t, want, got)
	before := triples(td)
	run(newTestEngine(t), td) // another k8slink leaves it alone
	require.Equal(t, before, triples(td))
}
