// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package folding counts like spans on one object in one window, and decides which of them become one span: those beyond a
// number. What is decided for a batch counts only once it is committed, and not again if the same batch comes again.
package folding // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/folding"

import (
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// Settings configure a table.
type Settings struct {
	// Threshold is how many like spans an object may have in a window.
	Threshold int
	// MaxTraceSpans is how many spans a trace may have before like spans in it are folded.
	MaxTraceSpans int
	// MaxObjects is how many objects and traces are counted, MaxFolds how many sets of like spans.
	MaxObjects, MaxFolds int
}

// Object is an object in a window.
type Object struct {
	ID     identity.ID
	Window int64
}

// Key is like spans on an object in a window.
type Key struct {
	Object
	// Like is a hash of what they have in common.
	Like uint64
}

// Group is like spans of a batch, in the order in which they came.
type Group struct {
	Key
	Trace pcommon.TraceID
	Spans []pcommon.SpanID
}

// Sum is what is told of the spans that became one.
type Sum struct {
	Count       int64
	First, Last pcommon.Timestamp
	// Fields are the paths that were changed, in alphabetical order; FieldsCut is how many more there were at least.
	Fields    []string
	FieldsCut int
}

// maxFields and maxField bound what is kept of the fields that were changed.
const maxFields, maxField = 32, 256

// Add adds another sum.
func (s *Sum) Add(other *Sum) {
	if s.Count == 0 {
		s.First, s.Last = other.First, other.Last
	}
	s.Count += other.Count
	s.First, s.Last = min(s.First, other.First), max(s.Last, other.Last)
	s.FieldsCut = max(s.FieldsCut, other.FieldsCut)
	for _, field := range other.Fields {
		s.AddField(field)
	}
}

// AddField adds a path that was changed.
func (s *Sum) AddField(path string) {
	i, known := slices.BinarySearch(s.Fields, path)
	switch {
	case known:
	case len(s.Fields) == maxFields, len(path) > maxField:
		s.FieldsCut = max(s.FieldsCut, 1)
	default:
		s.Fields = slices.Insert(slices.Clone(s.Fields), i, path) // others may hold the slice that there was
	}
}

// fold is the state of like spans.
type fold struct {
	// kept is how many went on as they were.
	kept int
	// sum is of those that became the span with that ID.
	sum  Sum
	span pcommon.SpanID
	// told is the count that was told last, toldAt the time of the last span then.
	told   int64
	toldAt pcommon.Timestamp
	// latest is the span as it is now, since the last spans were added to it, until the count is settled.
	latest ptrace.Traces
	since  time.Time
	// recent are the groups committed last: the same group is not counted again.
	recent [recents]commit
	next   int
}

const recents = 8

type commit struct {
	digest uint64
	keep   int
}

func (f *fold) find(digest uint64) (int, bool) {
	for _, c := range f.recent {
		if c.digest == digest {
			return c.keep, true
		}
	}
	return 0, false
}

// Table counts. It is safe for concurrent use.
type Table struct {
	settings Settings
	seed     maphash.Seed

	mu      sync.Mutex // guards what follows
	objects *simplelru.LRU[Object, *tally]
	traces  *simplelru.LRU[pcommon.TraceID, int]
	folds   *simplelru.LRU[Key, *fold]
	evicted int64
	// unsettled are the folds that were added to since their objects were told the count, also those that are forgotten by now.
	unsettled map[Key]*fold
	now       func() time.Time
}

// tally is how many spans on an object went by, and how many of them were folded.
type tally struct {
	spans  int
	folded int64
}

// NewTable returns an empty table. The clock says when spans were added.
func NewTable(settings Settings, now func() time.Time) (*Table, error) {
	t := &Table{settings: settings, seed: maphash.MakeSeed(), unsettled: map[Key]*fold{}, now: now}
	var err error
	if t.objects, err = simplelru.NewLRU[Object, *tally](settings.MaxObjects, nil); err != nil {
		return nil, fmt.Errorf("making the table of objects: %w", err)
	}
	if t.traces, err = simplelru.NewLRU[pcommon.TraceID, int](settings.MaxObjects, nil); err != nil {
		return nil, fmt.Errorf("making the table of traces: %w", err)
	}
	if t.folds, err = simplelru.NewLRU[Key, *fold](settings.MaxFolds, nil); err != nil {
		return nil, fmt.Errorf("making the table of like spans: %w", err)
	}
	return t, nil
}

// Evictions is how many sets of like spans were forgotten.
func (t *Table) Evictions() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.evicted
}

// Load is how many spans a batch has on an object.
type Load struct {
	Object
	Trace pcommon.TraceID
	Spans int
}

// calm is how many spans an object has in a window before anybody looks at what they have in common, unless fewer are
// folded.
const calm = 32

// Busy returns which of the loads are worth a look: on objects with many spans, or in a trace that has more than it may have once
// the spans of the batch are in it, which are counted by trace.
func (t *Table) Busy(loads []Load, spans map[pcommon.TraceID]int) []bool {
	var busy []bool
	least := calm
	if t.settings.Threshold <= calm {
		least = 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var full map[pcommon.TraceID]bool
	for trace, n := range spans {
		if t.excess(trace, n) > 0 {
			if full == nil {
				full = make(map[pcommon.TraceID]bool)
			}
			full[trace] = true
		}
	}
	for i, l := range loads {
		before := 0
		if known, ok := t.objects.Peek(l.Object); ok {
			before = known.spans
		}
		if before+l.Spans > least || full[l.Trace] {
			if busy == nil {
				busy = make([]bool, len(loads))
			}
			busy[i] = true
		}
	}
	return busy
}

// excess is by how many spans a trace has more than it may have, with those of a batch.
func (t *Table) excess(trace pcommon.TraceID, spans int) int {
	before, _ := t.traces.Peek(trace)
	return before + spans - t.settings.MaxTraceSpans
}

// Decision is what becomes of a group: the first Keep of its spans go on as they are, the others become one span.
type Decision struct {
	Group
	Keep   int
	digest uint64
	again  bool
	// sum is of the spans of the group that become one.
	sum Sum
	// told is set when the span is sent.
	told int64
	// Latest is the span that stands for all, by itself, whether it is sent or not.
	Latest ptrace.Traces
}

// Folded is how many spans of the group become one that did not before.
func (d *Decision) Folded() int64 {
	if d.again {
		return 0
	}
	return int64(len(d.Spans) - d.Keep)
}

// Decide says how many spans of a group go on as they are, if the batch has so many spans in the trace.
func (t *Table) Decide(g Group, spans int) Decision {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for i := range g.Spans {
		_, _ = h.Write(g.Spans[i][:])
	}
	d := Decision{Group: g, digest: h.Sum64() | 1} // 0 stands for none
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.folds.Peek(g.Key)
	if !ok {
		f = &fold{}
	}
	if d.Keep, d.again = f.find(d.digest); !d.again {
		d.Keep = min(max(t.settings.Threshold-f.kept, 0), len(g.Spans))
		if excess := t.excess(g.Trace, spans); excess > 0 {
			d.Keep = min(d.Keep, max(len(g.Spans)-excess-1, 0)) // the span that stands for them is one, too
		}
	}
	return d
}

// A span that stands for many is sent again when its count has grown by a part, or after a time, and not with each batch: a
// storage may keep every copy.
const growth, interval = 20, 5 * time.Second

// Sum adds what the spans beyond Keep tell, and returns the span that stands for all so far, and whether it is to be sent.
func (t *Table) Sum(d *Decision, sum Sum) (span pcommon.SpanID, total Sum, send bool) {
	d.sum = sum
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.fold(d.Key)
	if total = f.sum; !d.again {
		total.Add(&sum)
	}
	if f.span.IsEmpty() { // before it is committed: batches that come at the same time become one span
		f.span = identity.FoldedSpanID(d.Spans[d.Keep])
	}
	span = f.span
	grown := total.Count - f.told
	send = d.again || f.told == 0 || grown*growth >= f.told || total.Last >= f.toldAt+pcommon.Timestamp(interval)
	if send {
		d.told = total.Count
	}
	return span, total, send
}

// Commit makes decisions count, when their batch has gone on. spans are how many spans went into each trace.
func (t *Table) Commit(loads []Load, decisions []Decision, spans map[pcommon.TraceID]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range loads {
		t.tally(l.Object).spans += l.Spans
	}
	for trace, n := range spans {
		before, _ := t.traces.Get(trace)
		t.traces.Add(trace, before+n)
	}
	for i := range decisions {
		t.commit(&decisions[i])
	}
}

func (t *Table) commit(d *Decision) {
	f := t.fold(d.Key)
	if _, again := f.find(d.digest); !again {
		f.recent[f.next] = commit{d.digest, d.Keep}
		f.next = (f.next + 1) % recents
		f.kept += d.Keep
		if d.Keep < len(d.Spans) {
			f.sum.Add(&d.sum)
			if f.span.IsEmpty() {
				f.span = identity.FoldedSpanID(d.Spans[d.Keep])
			}
			t.tally(d.Object).folded += int64(len(d.Spans) - d.Keep)
		}
	}
	if d.told > 0 {
		f.told, f.toldAt = max(f.told, d.told), f.sum.Last
	}
	if d.Folded() > 0 && (t.unsettled[d.Key] != nil || len(t.unsettled) < t.settings.MaxFolds) {
		f.latest, f.since = d.Latest, t.now()
		t.unsettled[d.Key] = f
	}
}

// fold returns the state of like spans. It makes one if there is none.
func (t *Table) fold(key Key) *fold {
	f, ok := t.folds.Get(key)
	if !ok {
		f = &fold{}
		if t.folds.Add(key, f) {
			t.evicted++
		}
	}
	return f
}

func (t *Table) tally(o Object) *tally {
	known, ok := t.objects.Get(o)
	if !ok {
		known = &tally{}
		t.objects.Add(o, known)
	}
	return known
}

// Folded is how many spans on an object were folded in all.
func (t *Table) Folded(o Object) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.objects.Peek(o); ok {
		return known.folded
	}
	return 0
}

// Unsettled is a span that spans were added to.
type Unsettled struct {
	Key
	// Latest is the span as some batch left it, which must not be changed; ID and Sum are what it has to tell.
	Latest ptrace.Traces
	ID     pcommon.SpanID
	Sum    Sum
	fold   *fold
}

// Unsettled returns the spans that nothing was added to for a time.
func (t *Table) Unsettled(idle time.Duration) []Unsettled {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []Unsettled
	now := t.now()
	for key, f := range t.unsettled {
		if now.Sub(f.since) >= idle {
			found = append(found, Unsettled{key, f.latest, f.span, f.sum, f})
		}
	}
	return found
}

// Settle makes it known that spans have gone on, and that their objects were told.
func (t *Table) Settle(all []Unsettled) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, u := range all {
		u.fold.told = max(u.fold.told, u.Sum.Count)
		if t.unsettled[u.Key] == u.fold && u.fold.sum.Count == u.Sum.Count {
			u.fold.latest = ptrace.Traces{}
			delete(t.unsettled, u.Key)
		}
	}
}
