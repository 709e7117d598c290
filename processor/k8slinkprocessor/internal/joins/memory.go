// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package joins // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/joins"

import (
	"container/list"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/diffjoin"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// maxPerObject bounds the changes of one object, and its requests, so that no object makes joining slow for others.
const maxPerObject = 64

// object is what is remembered of one object. Slices of the same kind run in parallel, oldest first.
type object struct {
	changes     []diffjoin.Change
	diffs       []diff
	requests    []diffjoin.Request
	requestedAt []*list.Element
}

// diff is what goes with a change.
type diff struct {
	event     ptrace.SpanEvent
	delivered bool
	element   *list.Element
}

// item is a change or a request in the order of arrival. Of its kind and object, the oldest is always the first.
type item struct {
	object  identity.ID
	came    time.Time
	size    int64
	request bool
}

func (o *object) change(id pcommon.SpanID) int {
	return slices.IndexFunc(o.changes, func(c diffjoin.Change) bool { return c.ID == id })
}

func (t *Table) object(id identity.ID) *object {
	o, ok := t.objects[id]
	if !ok {
		o = &object{}
		t.objects[id] = o
	}
	return o
}

// addChange is false of a change that is remembered already.
func (t *Table) addChange(now time.Time, c *Change) bool {
	o := t.object(c.Object)
	if o.change(c.ID) >= 0 {
		return false
	}
	if len(o.changes) == maxPerObject {
		t.forget(o.diffs[0].element, &t.stats.Evicted)
		o = t.object(c.Object)
	}
	event := ptrace.NewSpanEvent()
	c.Diff.CopyTo(event)
	size := int64(changeSize + len(c.Managers)*managerSize)
	for key, value := range event.Attributes().All() {
		size += int64(attributeSize + len(key) + len(value.Str()))
	}
	o.changes = append(o.changes, c.Change)
	o.diffs = append(o.diffs, diff{event: event, element: t.push(&item{object: c.Object, came: now, size: size})})
	t.changes++
	return true
}

func (t *Table) addRequest(now time.Time, r *Request) {
	o := t.object(r.Object)
	if slices.ContainsFunc(o.requests, func(known diffjoin.Request) bool { return known.ID == r.ID }) {
		return
	}
	if len(o.requests) == maxPerObject {
		t.forget(o.requestedAt[0], nil)
		o = t.object(r.Object)
	}
	o.requests = append(o.requests, r.Request)
	o.requestedAt = append(o.requestedAt, t.push(&item{object: r.Object, came: now, size: requestSize, request: true}))
}

// What things take in memory, rather too much than too little; BenchmarkMemory measures it.
const (
	changeSize    = 600
	managerSize   = 100
	attributeSize = 100
	requestSize   = 400
)

func (t *Table) push(i *item) *list.Element {
	t.size += i.size
	return t.order.PushBack(i)
}

// expire forgets what is too old.
func (t *Table) expire(now time.Time) {
	for e := t.order.Front(); e != nil && now.Sub(e.Value.(*item).came) > t.options.MaxAge; e = t.order.Front() {
		t.forget(e, &t.stats.Expired)
	}
}

// evict forgets the oldest until the rest fits.
func (t *Table) evict() {
	for t.size > t.options.MaxSize && t.order.Len() > 0 {
		t.forget(t.order.Front(), &t.stats.Evicted)
	}
}

// forget takes out what is the oldest of its kind of its object. The loss of a change that nothing was joined to is counted.
func (t *Table) forget(e *list.Element, lost *int64) {
	i := t.order.Remove(e).(*item)
	t.size -= i.size
	o := t.objects[i.object]
	if i.request {
		o.requests = slices.Delete(o.requests, 0, 1)
		o.requestedAt = slices.Delete(o.requestedAt, 0, 1)
	} else {
		if !o.diffs[0].delivered {
			*lost++
		}
		o.changes = slices.Delete(o.changes, 0, 1)
		o.diffs = slices.Delete(o.diffs, 0, 1)
		t.changes--
	}
	if len(o.requests) == 0 && len(o.changes) == 0 {
		delete(t.objects, i.object)
	}
}
