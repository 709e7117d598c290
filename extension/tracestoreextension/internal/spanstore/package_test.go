// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"encoding/binary"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDirectory); dir != "" {
		writeUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// observed remembers what an Observer was told.
type observed struct {
	mu      sync.Mutex
	dropped map[Reason]int
	cut     int
	health  []error
}

func (o *observed) SliceDropped(why Reason) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dropped == nil {
		o.dropped = map[Reason]int{}
	}
	o.dropped[why]++
}

func (o *observed) SearchCut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cut++
}

func (o *observed) Health(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.health = append(o.health, err)
}

func (o *observed) last() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.health) == 0 {
		return nil
	}
	return o.health[len(o.health)-1]
}

func testOptions(fs vfs.FS, dir string) Options {
	return Options{
		Directory: dir, FS: fs, MaxAge: 24 * time.Hour, MaxSize: 1 << 40, CheckInterval: time.Hour, CacheSize: 8 << 20, BufferSize: 8 << 20,
		Indexed: []string{"object", "user"}, MaxRead: 100_000, MaxOperations: 1000, Observer: &observed{}, Now: (&clock{at: noon}).now,
	}
}

func open(tb testing.TB, o Options) *Store {
	tb.Helper()
	s, err := Open(o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// openInMemory is a store that needs no disk.
func openInMemory(tb testing.TB) *Store {
	tb.Helper()
	return open(tb, testOptions(vfs.NewMem(), "store"))
}

// told is a span of a test.
type told struct {
	trace, id, parent uint64
	service, name     string
	at                time.Duration // after noon
	lasts             time.Duration
	resource, span    map[string]any
	event             map[string]any
	kind              ptrace.SpanKind
	failed            bool
}

func traceID(n uint64) (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[:], n*0x9e3779b97f4a7c15|1)
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

func spanID(n uint64) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

func spans(all ...told) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, s := range all {
		resource := td.ResourceSpans().AppendEmpty()
		resource.SetSchemaUrl("resource schema")
		_ = resource.Resource().Attributes().FromRaw(s.resource)
		resource.Resource().Attributes().PutStr("service.name", s.service)
		scope := resource.ScopeSpans().AppendEmpty()
		scope.SetSchemaUrl("scope schema")
		scope.Scope().SetName("a scope")
		span := scope.Spans().AppendEmpty()
		span.SetTraceID(traceID(s.trace))
		span.SetSpanID(spanID(s.id))
		if s.parent != 0 {
			span.SetParentSpanID(spanID(s.parent))
		}
		span.SetName(s.name)
		span.SetKind(s.kind)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(noon.Add(s.at)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(noon.Add(s.at + s.lasts)))
		_ = span.Attributes().FromRaw(s.span)
		if s.event != nil {
			event := span.Events().AppendEmpty()
			event.SetName("an event")
			_ = event.Attributes().FromRaw(s.event)
		}
		if s.failed {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	return td
}

// encode is how spans come in.
func encode(td ptrace.Traces) []byte {
	encoded, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		panic(err)
	}
	return encoded
}

func write(tb testing.TB, s *Store, all ...told) {
	tb.Helper()
	written, err := s.Write(encode(spans(all...)))
	require.NoError(tb, err)
	require.Equal(tb, Written{Stored: len(all)}, written)
}

// get returns the spans of a trace by ID, and fails if one is there twice.
func get(tb testing.TB, s *Store, trace uint64) map[uint64]ptrace.Span {
	tb.Helper()
	found := map[uint64]ptrace.Span{}
	for td, err := range s.GetTraces(tb.Context(), []jaegerstorage.TraceParams{{TraceID: traceID(trace)}}) {
		require.NoError(tb, err)
		require.NotZero(tb, td.SpanCount())
		for _, resource := range td.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					id := span.SpanID()
					n := binary.BigEndian.Uint64(id[:])
					require.Equal(tb, traceID(trace), span.TraceID())
					if _, twice := found[n]; twice {
						require.Fail(tb, "there twice", "%d", n)
					}
					found[n] = span
				}
			}
		}
	}
	return found
}

// find returns the traces that a query finds, in order.
func find(tb testing.TB, s *Store, query jaegerstorage.Query) []uint64 {
	tb.Helper()
	found := []uint64{}
	for td, err := range s.FindTraces(tb.Context(), query) {
		require.NoError(tb, err)
		id := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()
		if n := binary.BigEndian.Uint64(id[8:]); len(found) == 0 || found[len(found)-1] != n {
			found = append(found, n)
		}
	}
	return found
}

func query(set func(*jaegerstorage.Query)) jaegerstorage.Query {
	q := jaegerstorage.NewQuery()
	q.Limit = 1000
	set(&q)
	return q
}
