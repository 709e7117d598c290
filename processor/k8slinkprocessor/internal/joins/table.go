// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package joins // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/joins"

import (
	"container/list"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/diffjoin"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// Options say how much is remembered, and how it is joined.
type Options struct {
	Rule diffjoin.Rule
	// MaxSize bounds what is remembered, in bytes.
	MaxSize int64
	// MaxAge bounds for how long something is remembered after it came.
	MaxAge time.Duration
}

// Change is a change of an object with its diff.
type Change struct {
	Object identity.ID
	diffjoin.Change
	Diff ptrace.SpanEvent
}

// Request is a request about an object.
type Request struct {
	Object identity.ID
	diffjoin.Request
}

// Found is what a request made.
type Found struct {
	Join diffjoin.Join
	// The following are valid if Join is Exact or Inferred.

	// Change is the ID of the span that told the change, Version the resourceVersion after it.
	Change  pcommon.SpanID
	Version string
	// Diff is not to be modified.
	Diff ptrace.SpanEvent
}

// Table is what is remembered. It is safe for concurrent use.
type Table struct {
	options Options

	rememberedMu sync.Mutex // guards what follows
	objects      map[identity.ID]*object
	order        *list.List // of *item, in the order in which they came
	changes      int
	size         int64
	stats        Stats
}

// Stats is for metrics.
type Stats struct {
	// Size is the bytes remembered.
	Size int64
	// Expired and Evicted count changes that were forgotten, for their age or for want of room, before anything was
	// joined to them.
	Expired, Evicted int64
}

// New makes an empty table.
func New(o Options) *Table {
	return &Table{options: o, objects: map[identity.ID]*object{}, order: list.New()}
}

// Idle is true as long as no change is remembered. Then requests need not be told.
func (t *Table) Idle() bool {
	t.rememberedMu.Lock()
	defer t.rememberedMu.Unlock()
	return t.changes == 0
}

// Stats returns what is remembered and what was forgotten.
func (t *Table) Stats() Stats {
	t.rememberedMu.Lock()
	defer t.rememberedMu.Unlock()
	stats := t.stats
	stats.Size = t.size
	return stats
}

// Join remembers the changes and requests of a batch, and returns for each of the requests what it made, as far as that is
// known by now. Late counts changes that were made by requests of earlier batches.
func (t *Table) Join(now time.Time, changes []Change, requests []Request) (found []Found, late int) {
	t.rememberedMu.Lock()
	defer t.rememberedMu.Unlock()
	t.expire(now)
	var fresh []Change
	for i := range changes {
		if t.addChange(now, &changes[i]) {
			fresh = append(fresh, changes[i])
		}
	}
	if t.changes == 0 {
		return make([]Found, len(requests)), 0
	}
	late = t.late(fresh)
	for i := range requests {
		t.addRequest(now, &requests[i])
	}
	found = make([]Found, len(requests))
	for i := range requests {
		found[i] = t.find(&requests[i])
	}
	t.evict()
	return found, late
}

func (t *Table) find(r *Request) Found {
	o, ok := t.objects[r.Object]
	if !ok {
		return Found{}
	}
	i, join := t.options.Rule.Find(&r.Request, o.requests, o.changes)
	if join <= diffjoin.Ambiguous {
		return Found{Join: join}
	}
	c := &o.changes[i]
	return Found{Join: join, Change: c.ID, Version: c.Version, Diff: o.diffs[i].event}
}

// late counts those of the changes that a request made which came earlier.
func (t *Table) late(changes []Change) int {
	n := 0
	for i := range changes {
		o, ok := t.objects[changes[i].Object]
		if !ok {
			continue
		}
		for j := range o.requests {
			if !t.options.Rule.MayHaveMade(&o.requests[j], &changes[i].Change) {
				continue
			}
			at, join := t.options.Rule.Find(&o.requests[j], o.requests, o.changes)
			if join > diffjoin.Ambiguous && o.changes[at].ID == changes[i].ID {
				n++
				break
			}
		}
	}
	return n
}

// Deliver takes note that the diff of a change is on its audit span, which was accepted.
func (t *Table) Deliver(object identity.ID, change pcommon.SpanID) {
	t.rememberedMu.Lock()
	defer t.rememberedMu.Unlock()
	if d := t.diffOf(object, change); d != nil {
		d.delivered = true
	}
}

// Delivered is whether Deliver was called for a change that is remembered.
func (t *Table) Delivered(object identity.ID, change pcommon.SpanID) bool {
	t.rememberedMu.Lock()
	defer t.rememberedMu.Unlock()
	d := t.diffOf(object, change)
	return d != nil && d.delivered
}

func (t *Table) diffOf(id identity.ID, change pcommon.SpanID) *diff {
	if o, ok := t.objects[id]; ok {
		if i := o.change(change); i >= 0 {
			return &o.diffs[i]
		}
	}
	return nil
}
