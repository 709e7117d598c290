// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package joins

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/diffjoin"
	"github.com/kelemetry/kelemetry/internal/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func newTable(change ...func(*Options)) *Table {
	o := Options{Rule: diffjoin.Rule{Tolerance: 2 * time.Second}, MaxSize: 1 << 20, MaxAge: time.Minute}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

func objectID(n int) identity.ID {
	return identity.ObjectID(identity.Object{Cluster: "c", Resource: "pods", Namespace: "n", Name: strconv.Itoa(n)})
}

func spanID(kind, version, object int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint16(id[:], uint16(kind))
	binary.BigEndian.PutUint16(id[2:], uint16(object))
	binary.BigEndian.PutUint32(id[4:], uint32(version))
	return id
}

// request makes the version of the object, at as many seconds after noon. It tells the version if told.
func request(object, version int, told bool) Request {
	span := ptrace.NewSpan()
	span.SetSpanID(spanID(1, version, object))
	start := noon.Add(time.Duration(version) * time.Second)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(10 * time.Millisecond)))
	attrs := span.Attributes()
	attrs.PutStr(attr.SpanType, attr.SpanTypeAudit)
	attrs.PutStr(attr.AuditStage, "ResponseComplete")
	attrs.PutStr(attr.AuditVerb, "update")
	attrs.PutStr(attr.UserAgent, "kubectl/v1.37.0")
	if told {
		attrs.PutStr(attr.ObjectResourceVersion, strconv.Itoa(version))
		attrs.PutStr(attr.PreviousResourceVersion, strconv.Itoa(version-1))
	}
	r, ok := diffjoin.ReadRequest(span)
	if !ok {
		panic("not a request")
	}
	return Request{objectID(object), r}
}

// change is what makes the version of the object, with a diff of some size.
func change(object, version, size int) Change {
	span := ptrace.NewSpan()
	span.SetSpanID(spanID(2, version, object))
	at := noon.Add(time.Duration(version)*time.Second + 5*time.Millisecond)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	attrs := span.Attributes()
	attrs.PutStr(attr.SpanType, attr.SpanTypeWatch)
	attrs.PutStr(attr.ObjectResourceVersion, strconv.Itoa(version))
	attrs.PutStr(attr.WatchFieldManagers, fmt.Sprintf(`[{"manager":"kubectl","operation":"Update","time":%q,"fields":1}]`,
		at.Truncate(time.Second).Format(time.RFC3339)))
	event := span.Events().AppendEmpty()
	event.SetName(attr.EventDiff)
	event.Attributes().PutStr("spec.replicas", fmt.Sprintf("%d -> %d", version-1, version))
	for i := 0; size > 0; i, size = i+1, size-200 {
		event.Attributes().PutStr(fmt.Sprintf("spec.template.labels[%d]", i), strings.Repeat("x", min(size, 200)))
	}
	c, diff, ok := diffjoin.ReadChange(span)
	if !ok {
		panic("not a change")
	}
	return Change{objectID(object), c, diff}
}

func text(f Found) string {
	v, _ := f.Diff.Attributes().Get("spec.replicas")
	return v.Str()
}

func TestTheChangeMayComeBefore(t *testing.T) {
	table := newTable()
	assert.True(t, table.Idle())
	found, late := table.Join(noon, []Change{change(1, 5, 0), change(2, 5, 0)}, nil)
	assert.Empty(t, found)
	assert.Zero(t, late)
	assert.False(t, table.Idle())

	found, late = table.Join(noon, nil, []Request{request(1, 5, true), request(2, 7, true)})
	assert.Zero(t, late)
	require.Equal(t, diffjoin.Exact, found[0].Join)
	assert.Equal(t, "4 -> 5", text(found[0]))
	assert.Equal(t, "5", found[0].Version)
	assert.Equal(t, diffjoin.None, found[1].Join, "another version")
}

func TestTheChangeMayComeAlong(t *testing.T) {
	found, late := newTable().Join(noon, []Change{change(1, 5, 0)}, []Request{request(1, 5, false)})
	require.Equal(t, diffjoin.Inferred, found[0].Join)
	assert.Equal(t, "4 -> 5", text(found[0]))
	assert.Zero(t, late)
}

func TestAChangeThatComesAfterIsLate(t *testing.T) {
	table := newTable()
	table.Join(noon, []Change{change(2, 1, 0)}, nil)
	found, _ := table.Join(noon, nil, []Request{request(1, 5, true)})
	assert.Equal(t, diffjoin.None, found[0].Join)
	_, late := table.Join(noon, []Change{change(1, 5, 0)}, nil)
	assert.Equal(t, 1, late)
	_, late = table.Join(noon, []Change{change(1, 5, 0)}, nil)
	assert.Zero(t, late, "delivered twice, counted once")
}

// TestOneChangeIsOneRequests: the second request that could have made it gets nothing, also in a later batch.
func TestOneChangeIsOneRequests(t *testing.T) {
	table := newTable()
	table.Join(noon, []Change{change(1, 5, 0)}, nil)
	first, second := request(1, 5, false), request(1, 5, false)
	second.ID = spanID(3, 5, 1)
	found, _ := table.Join(noon, nil, []Request{first})
	assert.Equal(t, diffjoin.Inferred, found[0].Join)
	found, _ = table.Join(noon, nil, []Request{second})
	assert.Equal(t, diffjoin.Ambiguous, found[0].Join)
}

func TestAgeBounds(t *testing.T) {
	table := newTable()
	table.Join(noon, []Change{change(1, 5, 0), change(1, 6, 0)}, nil)
	table.Deliver(objectID(1), spanID(2, 6, 1))
	found, _ := table.Join(noon.Add(time.Minute), nil, []Request{request(1, 5, true)})
	assert.Equal(t, diffjoin.Exact, found[0].Join)
	found, _ = table.Join(noon.Add(time.Minute+time.Second), nil, []Request{request(1, 5, true)})
	assert.Equal(t, diffjoin.None, found[0].Join)
	assert.True(t, table.Idle())
	assert.Equal(t, int64(1), table.Stats().Expired, "what was delivered is not lost")

	table.Join(noon.Add(time.Hour), nil, nil)
	assert.Equal(t, int64(0), table.Stats().Size)
	assert.Empty(t, table.objects)
}

func TestSizeBounds(t *testing.T) {
	table := newTable(func(o *Options) { o.MaxSize = 20_000 })
	for version := 1; version <= 40; version++ {
		table.Join(noon, []Change{change(version%3, version, 400)}, nil)
		assert.LessOrEqual(t, table.Stats().Size, int64(20_000))
	}
	assert.Greater(t, table.Stats().Evicted, int64(10))
	found, _ := table.Join(noon, nil, []Request{request(1, 1, true), request(1, 40, true)})
	assert.Equal(t, diffjoin.None, found[0].Join, "the oldest is gone")
	assert.Equal(t, diffjoin.Exact, found[1].Join, "the newest is there")

	none := newTable(func(o *Options) { o.MaxSize = 1 })
	found, _ = none.Join(noon, []Change{change(1, 5, 0)}, []Request{request(1, 5, true)})
	assert.Equal(t, diffjoin.Exact, found[0].Join, "within a batch nothing has to be remembered")
	assert.Equal(t, int64(0), none.Stats().Size)
}

func TestOneObjectCannotTakeAll(t *testing.T) {
	table := newTable(func(o *Options) { o.MaxSize = 1 << 30 })
	for version := 1; version <= 1000; version++ {
		table.Join(noon, []Change{change(1, version, 0)}, []Request{request(1, version, true)})
	}
	o := table.objects[objectID(1)]
	assert.Len(t, o.changes, maxPerObject)
	assert.Len(t, o.requests, maxPerObject)
	assert.Equal(t, 2*maxPerObject, table.order.Len())
}

func TestDelivered(t *testing.T) {
	table := newTable()
	id := spanID(2, 5, 1)
	table.Deliver(objectID(1), id)
	assert.False(t, table.Delivered(objectID(1), id), "not remembered")
	table.Join(noon, []Change{change(1, 5, 0)}, nil)
	assert.False(t, table.Delivered(objectID(1), id))
	table.Deliver(objectID(1), id)
	assert.True(t, table.Delivered(objectID(1), id))
	assert.False(t, table.Delivered(objectID(2), id))
}

// TestOrderMakesNoDifferenceOnceAllIsKnown: however things arrive, what is joined on the way is joined to one request only;
// and when the requests are delivered again, all joins are those that the rule finds from everything at once.
func TestOrderMakesNoDifferenceOnceAllIsKnown(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 0))
		var changes []Change
		var requests []Request
		for object := range 1 + r.IntN(3) {
			for version := 1; version < 2+r.IntN(12); version++ {
				told := r.IntN(2) == 0
				if r.IntN(5) > 0 {
					changes = append(changes, change(object, version, 0))
				}
				if r.IntN(5) > 0 {
					requests = append(requests, request(object, version, told))
				}
			}
		}
		table := newTable()
		table.Join(noon, []Change{change(99, 1, 0)}, nil) // no longer idle
		takers := map[pcommon.SpanID]pcommon.SpanID{}
		lateChanges, lateRequests := append([]Change(nil), changes...), append([]Request(nil), requests...)
		r.Shuffle(len(lateChanges), func(i, j int) { lateChanges[i], lateChanges[j] = lateChanges[j], lateChanges[i] })
		r.Shuffle(len(lateRequests), func(i, j int) { lateRequests[i], lateRequests[j] = lateRequests[j], lateRequests[i] })
		for len(lateChanges)+len(lateRequests) > 0 {
			c, q := r.IntN(len(lateChanges)+1), r.IntN(len(lateRequests)+1)
			found, _ := table.Join(noon, lateChanges[:c], lateRequests[:q])
			for i, f := range found {
				if f.Join <= diffjoin.Ambiguous {
					continue
				}
				taker, taken := takers[f.Change]
				require.True(t, !taken || taker == lateRequests[i].ID, "seed %d: joined twice", seed)
				takers[f.Change] = lateRequests[i].ID
			}
			lateChanges, lateRequests = lateChanges[c:], lateRequests[q:]
		}

		again, _ := table.Join(noon, nil, requests)
		once, _ := newTable().Join(noon, append(changes, change(99, 1, 0)), requests)
		for i := range again {
			require.Equal(t, once[i].Join, again[i].Join, "seed %d", seed)
			require.Equal(t, once[i].Change, again[i].Change, "seed %d", seed)
		}
	}
}

func TestConcurrentUse(_ *testing.T) {
	table := newTable(func(o *Options) { o.MaxSize = 50_000 })
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for version := 1; version < 200; version++ {
				found, _ := table.Join(noon, []Change{change(worker%2, version, 0)}, []Request{request(worker%2, version, true)})
				if found[0].Join == diffjoin.Exact {
					_ = text(found[0])
					table.Deliver(objectID(worker%2), found[0].Change)
				}
				table.Stats()
			}
		})
	}
	wg.Wait()
}

// BenchmarkMemory: bytes for a change with two fields, and what the table takes it for.
func BenchmarkMemory(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		table := newTable(func(o *Options) { o.MaxSize = 1 << 40 })
		before := heap()
		for i := range n {
			table.Join(noon, []Change{change(i, 5, 100)}, nil)
		}
		b.ReportMetric(float64(heap()-before)/n, "B/change")
		b.ReportMetric(float64(table.Stats().Size)/n, "counted-B/change")
		before, counted := heap(), table.Stats().Size
		for i := range n {
			table.Join(noon, nil, []Request{request(i, 5, true)})
		}
		b.ReportMetric(float64(heap()-before)/n, "B/request")
		b.ReportMetric(float64(table.Stats().Size-counted)/n, "counted-B/request")
		runtime.KeepAlive(table)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkBusyObject: joining for an object that has as many changes and requests as are remembered, all of one second.
func BenchmarkBusyObject(b *testing.B) {
	table := newTable()
	for version := 1; version <= maxPerObject; version++ {
		c, r := change(1, 5, 0), request(1, 5, false)
		c.ID, r.ID = spanID(2, version, 1), spanID(1, version, 1)
		table.Join(noon, []Change{c}, []Request{r})
	}
	r := []Request{request(1, 5, false)}
	b.ReportAllocs()
	for b.Loop() {
		table.Join(noon, nil, r)
	}
}
