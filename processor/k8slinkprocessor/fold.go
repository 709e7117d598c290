// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/folding"
)

// folded is what a batch has to do with folding.
type folded struct {
	loads     []folding.Load
	decisions []folding.Decision
	spans     map[pcommon.TraceID]int
	// totals are how many spans of an object were folded so far, of those that the batch adds to; with exact the objects' spans are
	// sent whenever that is another number, and not only when it has doubled.
	totals map[folding.Object]int64
	exact  bool
}

// fold makes one span of many like ones. What has been folded leaves the batch with the object spans that came in.
func (b *batch) fold() {
	if b.engine.folds == nil {
		return
	}
	if b.settles {
		b.foldedBefore()
		return
	}
	b.load()
	busy := b.engine.folds.Busy(b.folded.loads, b.folded.spans)
	if busy == nil {
		return
	}
	members := make(map[int][]*member)
	b.eachPlaced(func(_ *group, m *member) {
		if i := m.place.load - 1; busy[i] {
			members[i] = append(members[i], m)
		}
	})
	for i := range b.folded.loads {
		if busy[i] {
			b.foldObject(b.folded.loads[i].Object, b.folded.loads[i].Trace, members[i])
		}
	}
}

// load counts the spans on each object in each window, and in each trace.
func (b *batch) load() {
	f := &b.folded
	f.loads = slices.Grow(f.loads, len(b.placing.places))
	f.spans = make(map[pcommon.TraceID]int, len(b.placing.traces))
	b.eachPlaced(func(g *group, m *member) {
		if m.place.load == 0 {
			f.loads = append(f.loads, folding.Load{Object: folding.Object{ID: g.node.ID, Window: m.place.window.Unix()}, Trace: m.place.trace})
			m.place.load = len(f.loads)
		}
		f.loads[m.place.load-1].Spans++
	})
	for _, l := range f.loads {
		f.spans[l.Trace] += l.Spans
	}
}

// eachPlaced visits the spans that go on.
func (b *batch) eachPlaced(visit func(*group, *member)) {
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		for j := begin; j < g.end; j++ {
			if m := &b.members[j]; m.kind != consumed {
				visit(g, m)
			}
		}
		begin = g.end
	}
}

// foldObject folds the spans on one object in one window.
func (b *batch) foldObject(object folding.Object, trace pcommon.TraceID, members []*member) {
	groups := map[uint64][]*member{}
	var order []uint64
	for _, m := range members {
		like, ok := b.engine.likeness(m)
		if !ok {
			continue
		}
		if groups[like] == nil {
			order = append(order, like)
		}
		groups[like] = append(groups[like], m)
	}
	for _, like := range order {
		b.foldGroup(folding.Group{Key: folding.Key{Object: object, Like: like}, Trace: trace}, groups[like])
	}
}

func (b *batch) foldGroup(g folding.Group, members []*member) {
	for _, m := range members {
		g.Spans = append(g.Spans, m.span.SpanID())
	}
	table, f := b.engine.folds, &b.folded
	d := table.Decide(g, f.spans[g.Trace])
	if d.Keep == len(members) {
		f.decisions = append(f.decisions, d)
		return
	}
	rest := members[d.Keep:]
	id, total, send := table.Sum(&d, sumOf(rest))
	f.add(table, g.Object, d.Folded())
	f.spans[g.Trace] -= len(rest)
	b.stats.folded += int64(len(rest))
	writeFold(rest[0].span, id, &total)
	d.Latest = alone(rest[0].span, rest[0].place)
	if send {
		rest = rest[1:]
		f.spans[g.Trace]++
	}
	f.decisions = append(f.decisions, d)
	for _, m := range rest {
		m.kind = consumed
		b.consumed++
	}
}

// add counts spans that are folded.
func (f *folded) add(table *folding.Table, o folding.Object, n int64) {
	if f.totals == nil {
		f.totals = map[folding.Object]int64{}
	}
	if _, ok := f.totals[o]; !ok {
		f.totals[o] = table.Folded(o)
	}
	f.totals[o] += n
}

// likeness is a hash of what like spans have in common; false if the span is never folded: it failed, a human made it, it
// began or ended the object's life, or stands for many already.
func (e *engine) likeness(m *member) (uint64, bool) {
	if m.kind != native || m.span.Status().Code() == ptrace.StatusCodeError {
		return 0, false
	}
	attrs := m.span.Attributes()
	if _, already := attrs.Get(attr.FoldedCount); already {
		return 0, false
	}
	var h maphash.Hash
	h.SetSeed(e.likeSeed)
	add := func(values ...string) {
		for _, v := range values {
			_, _ = h.WriteString(v)
			_ = h.WriteByte(0)
		}
	}
	add(m.spanType)
	switch m.spanType {
	case attr.SpanTypeAudit:
		user, verb, subresource := text(attrs, attr.UserName), text(attrs, attr.AuditVerb), text(attrs, attr.AuditSubresource)
		if !isMachine(user) || text(attrs, attr.AuditImpersonatorName) != "" || !isRoutine(verb) || failed(attrs) || isDryRun(m.span) {
			return 0, false
		}
		add(user, verb, subresource)
	case attr.SpanTypeEvent:
		if text(attrs, attr.EventType) != "Normal" {
			return 0, false
		}
		add(text(attrs, attr.EventReason), text(attrs, attr.EventAction), text(attrs, attr.EventReportingController))
	case attr.SpanTypeWatch:
		managers := text(attrs, attr.WatchManagers)
		if m.span.Name() != "updated" || strings.Contains(managers, "kubectl") {
			return 0, false
		}
		add(managers, text(attrs, attr.WatchDeletion))
	default:
		return 0, false
	}
	return h.Sum64(), true
}

// humans are users with the prefix of the system that people act as.
var humans = []string{"system:admin", "system:anonymous", "system:unauthenticated"}

func isMachine(user string) bool {
	return strings.HasPrefix(user, "system:") && !slices.Contains(humans, user)
}

func isRoutine(verb string) bool {
	return verb == "update" || verb == "patch" || verb == "get" || verb == "list" || verb == "watch"
}

func failed(attrs pcommon.Map) bool {
	code, ok := attrs.Get(attr.HTTPResponseStatus)
	return ok && code.Int() >= 400
}

func sumOf(members []*member) folding.Sum {
	var sum folding.Sum
	for _, m := range members {
		one := folding.Sum{Count: 1, First: m.span.StartTimestamp(), Last: m.span.EndTimestamp()}
		for _, event := range m.span.Events().All() {
			if event.Name() != attr.EventDiff {
				continue
			}
			for key, value := range event.Attributes().All() {
				if key == attr.DiffCut {
					one.FieldsCut = int(value.Int())
				} else {
					one.AddField(fieldOf(key))
				}
			}
		}
		sum.Add(&one)
	}
	return sum
}

// fieldOf takes off what says that a change continues, such as " (2/2)".
func fieldOf(key string) string {
	if i := strings.LastIndex(key, " ("); i > 0 && strings.HasSuffix(key, ")") && strings.Contains(key[i:], "/") {
		return key[:i]
	}
	return key
}

// common are the attributes that hold for all like spans.
var common = []string{
	attr.SpanType, attr.UserName, attr.UserID, attr.UserRoles, attr.UserAgent, attr.AuditVerb, attr.AuditSubresource, attr.HTTPRequestMethod,
	attr.EventReason, attr.EventAction, attr.EventType, attr.EventReportingController, attr.WatchManagers,
}

// writeFold makes a span the one that stands for many.
func writeFold(span ptrace.Span, id pcommon.SpanID, sum *folding.Sum) {
	span.SetSpanID(id)
	span.SetStartTimestamp(sum.First)
	span.SetEndTimestamp(max(sum.First, sum.Last))
	attrs := span.Attributes()
	attrs.RemoveIf(func(key string, _ pcommon.Value) bool { return !slices.Contains(common, key) })
	attrs.PutInt(attr.FoldedCount, sum.Count)
	attrs.PutStr(attr.FoldedFirst, timeOf(sum.First).Format(time.RFC3339Nano))
	attrs.PutStr(attr.FoldedLast, timeOf(sum.Last).Format(time.RFC3339Nano))
	if len(sum.Fields) > 0 {
		fields := attrs.PutEmptySlice(attr.FoldedFields)
		for _, field := range sum.Fields {
			fields.AppendEmpty().SetStr(field)
		}
	}
	if sum.FieldsCut > 0 {
		attrs.PutBool(attr.FoldedFieldsCut, true)
	}
	span.Events().RemoveIf(func(ptrace.SpanEvent) bool { return true })
	span.Links().RemoveIf(func(ptrace.SpanLink) bool { return true })
}

// mark tells the objects' spans how much of the objects was folded.
func (f *folded) mark(spans []objectSpan) {
	if len(f.totals) == 0 {
		return
	}
	for i := range spans {
		o := &spans[i]
		o.folded = f.totals[folding.Object{ID: o.node.ID, Window: o.window.Unix()}]
		o.exact = f.exact
	}
}
