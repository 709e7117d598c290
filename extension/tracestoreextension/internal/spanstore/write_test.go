// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// TestASpanIsReadAsItWasWritten, with everything that OTLP knows.
func TestASpanIsReadAsItWasWritten(t *testing.T) {
	td := spans(told{
		trace: 1, id: 2, parent: 3, service: "prod", name: "patch", lasts: time.Second, kind: ptrace.SpanKindServer, failed: true,
		resource: map[string]any{"object": "o"}, span: map[string]any{"n": int64(1), "list": []any{"a", 1.5, true}}, event: map[string]any{"path": "1 -> 2"},
	})
	span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	span.TraceState().FromRaw("a=b")
	span.SetFlags(1)
	span.SetDroppedAttributesCount(4)
	link := span.Links().AppendEmpty()
	link.SetTraceID(traceID(7))
	link.SetSpanID(spanID(8))
	want := ptrace.NewTraces()
	td.CopyTo(want)

	fs := vfs.NewMem()
	s := open(t, testOptions(fs, "store"))
	_, err := s.Write(td)
	require.NoError(t, err)
	for got, err := range s.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: traceID(1)}, {TraceID: traceID(9)}}) {
		require.NoError(t, err)
		require.NoError(t, ptracetest.CompareTraces(want, got))
		assert.Equal(t, "resource schema", got.ResourceSpans().At(0).SchemaUrl())
		assert.Equal(t, "scope schema", got.ResourceSpans().At(0).ScopeSpans().At(0).SchemaUrl())
	}
	assert.Len(t, get(t, s, 1), 1)
	assert.Empty(t, get(t, s, 9))
}

// TestWhatIsWrittenTwiceIsStoredOnce, whichever comes first; from memory, from tables, and after a start.
func TestWhatIsWrittenTwiceIsStoredOnce(t *testing.T) {
	poor := told{trace: 1, id: 1, service: "prod", name: "poor", span: map[string]any{"a": "1"}}
	rich := told{trace: 1, id: 1, service: "prod", name: "rich", span: map[string]any{"a": "1"}, event: map[string]any{"path": "1 -> 2"}}
	early := told{trace: 1, id: 2, service: "prod", name: "early"}
	late := told{trace: 1, id: 2, service: "prod", name: "late", resource: map[string]any{"told": "later"}}
	for name, order := range map[string][]told{
		"poor first": {poor, early, rich, late}, "rich first": {rich, early, poor, late}, "again and again": {rich, rich, early, poor, rich, late, late, poor},
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			check := func(s *Store) {
				t.Helper()
				got := get(t, s, 1)
				require.Len(t, got, 2)
				assert.Equal(t, "rich", got[1].Name())
				assert.Equal(t, "late", got[2].Name())
			}
			s, err := Open(testOptions(fs, "store"))
			require.NoError(t, err)
			for i, one := range order {
				write(t, s, one)
				if i == 1 {
					require.NoError(t, s.db.Flush())
				}
			}
			check(s)
			require.NoError(t, s.db.Flush())
			check(s)
			require.NoError(t, s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false))
			check(s)
			require.NoError(t, s.Close())
			check(open(t, testOptions(fs, "store")))
		})
	}
}

// TestACopyWithAnotherStartIsShownOnce, although it is in another slice.
func TestACopyWithAnotherStartIsShownOnce(t *testing.T) {
	s := openInMemory(t)
	write(t, s, told{trace: 1, id: 1, service: "prod", name: "before"}, told{trace: 1, id: 2, service: "prod", name: "other"})
	write(t, s, told{trace: 1, id: 1, service: "prod", name: "after", at: 3 * time.Hour})
	got := get(t, s, 1)
	assert.Len(t, got, 2)
	assert.Equal(t, "after", got[1].Name())
}

// TestSpansWithoutIDsAreRefused alone, and the others stored.
func TestSpansWithoutIDsAreRefused(t *testing.T) {
	s := openInMemory(t)
	td := spans(told{trace: 1, id: 1, service: "prod"}, told{trace: 1, id: 2, service: "prod"}, told{trace: 1, id: 3, service: "prod"})
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetSpanID(pcommon.SpanID{})
	td.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(0).SetTraceID(pcommon.TraceID{})
	written, err := s.Write(td)
	require.NoError(t, err)
	assert.Equal(t, Written{Stored: 1, Invalid: 2}, written)
	assert.Len(t, get(t, s, 1), 1)
	written, err = s.Write(ptrace.NewTraces())
	require.NoError(t, err)
	assert.Zero(t, written)
}

// TestALargeTraceComesInChunks, none larger than it should be.
func TestALargeTraceComesInChunks(t *testing.T) {
	s := openInMemory(t)
	var all []told
	for i := range uint64(3000) {
		all = append(all, told{trace: 1, id: i + 1, service: "prod", span: map[string]any{"text": strings.Repeat("x", 2000)}})
	}
	write(t, s, all...)
	chunks := 0
	for td, err := range s.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: traceID(1)}}) {
		require.NoError(t, err)
		assert.LessOrEqual(t, (&ptrace.ProtoMarshaler{}).TracesSize(td), maxChunk+1<<20)
		chunks++
	}
	assert.Greater(t, chunks, 1)
	assert.Len(t, get(t, s, 1), 3000)
}

// TestManyAtOnce: writers, readers, searches and retention do not disturb each other.
func TestManyAtOnce(t *testing.T) {
	o := testOptions(vfs.NewMem(), "store")
	o.BufferSize = 1 << 20 // so that there are tables
	s := open(t, o)
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	const batches, perBatch = 40, 25
	for w := range uint64(4) {
		writers.Go(func() {
			for b := range uint64(batches) {
				var batch []told
				for i := range uint64(perBatch) {
					batch = append(batch, told{trace: b%7 + 1, id: w<<32 | b<<16 | i + 1, service: "prod", name: "n", span: map[string]any{"user": "alice", "i": int64(i)}})
				}
				if _, err := s.Write(spans(batch...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, err := range s.FindTraces(t.Context(), query(func(q *jaegerstorage.Query) { q.Attributes.PutStr("user", "alice") })) {
					if err != nil {
						t.Error(err)
					}
				}
				if err := s.Retain(t.Context()); err != nil {
					t.Error(err)
				}
				s.Stats()
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	n := 0
	for trace := range uint64(7) {
		n += len(get(t, s, trace+1))
	}
	assert.Equal(t, 4*batches*perBatch, n)
}

// FuzzWrite writes whatever decodes as OTLP, and reads it again.
func FuzzWrite(f *testing.F) {
	for _, td := range []ptrace.Traces{
		ptrace.NewTraces(),
		spans(told{trace: 1, id: 1, service: "prod", name: "n", resource: map[string]any{"object": "o"}, event: map[string]any{"a": "b"}}),
	} {
		encoded, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		require.NoError(f, err)
		f.Add(encoded)
	}
	s := openInMemory(f)
	f.Fuzz(func(t *testing.T, encoded []byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(encoded)
		if err != nil {
			t.Skip()
		}
		written, err := s.Write(td)
		require.NoError(t, err)
		require.Equal(t, td.SpanCount(), written.Stored+written.Invalid)
		for _, resource := range td.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					if span.TraceID().IsEmpty() || span.SpanID().IsEmpty() {
						continue
					}
					found := false
					for got, err := range s.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: span.TraceID()}}) {
						require.NoError(t, err)
						found = found || hasSpan(got, span.SpanID())
					}
					require.True(t, found)
				}
			}
		}
	})
}

func hasSpan(td ptrace.Traces, id pcommon.SpanID) bool {
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if span.SpanID() == id {
					return true
				}
			}
		}
	}
	return false
}

// FuzzDecoders reads what may be in a damaged file.
func FuzzDecoders(f *testing.F) {
	f.Add(contextValue([]byte("a"), []byte("b")), spanValue(3, 4, []byte("c")))
	f.Add([]byte{0xff}, []byte{0x80})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, value := range [][]byte{a, b} {
			if resource, scope, ok := parseContextValue(value); ok {
				assert.LessOrEqual(t, len(resource)+len(scope), len(value))
			}
			if _, encoded, ok := parseSpanValue(value); ok {
				assert.Less(t, len(encoded), len(value))
			}
			_, _ = decodeSliceState(value)
			_, _ = withoutIDs(value)
			_ = below(value, 1, func([]byte) error { return nil })
			_, _ = without(value, 2)
		}
		for _, values := range [][2][]byte{{a, b}, {b, a}} {
			merged, err := richerWins.Merge(nil, values[0])
			require.NoError(t, err)
			require.NoError(t, merged.MergeNewer(values[1]))
			_, _, err = merged.Finish(true)
			require.NoError(t, err)
		}
	})
}

// TestTheOrderOfMergingDoesNotMatter: a compaction may join copies in any grouping.
func TestTheOrderOfMergingDoesNotMatter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		values := make([][]byte, 1+random.IntN(6)) // from old to new
		for i := range values {
			values[i] = spanValue(random.Uint64N(3), 0, binary.BigEndian.AppendUint32(nil, uint32(i)))
		}
		merge := func(values [][]byte, from int) []byte {
			m, err := richerWins.Merge(nil, values[from])
			require.NoError(t, err)
			for _, newer := range values[from+1:] {
				require.NoError(t, m.MergeNewer(newer))
			}
			for i := from - 1; i >= 0; i-- {
				require.NoError(t, m.MergeOlder(values[i]))
			}
			value, _, err := m.Finish(true)
			require.NoError(t, err)
			return value
		}
		want := merge(values, 0)
		require.Equal(t, want, merge(values, random.IntN(len(values))))
		cut := random.IntN(len(values))
		if cut > 0 {
			require.Equal(t, want, merge([][]byte{merge(values[:cut], 0), merge(values[cut:], 0)}, 0))
		}
	}
}
