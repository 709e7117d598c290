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
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// everything is a span with everything that OTLP knows.
func everything() ptrace.Traces {
	td := spans(told{
		trace: 1, id: 2, parent: 3, service: "prod", name: "patch", lasts: time.Second, kind: ptrace.SpanKindServer, failed: true,
		resource: map[string]any{"object": "o"}, event: map[string]any{"path": "1 -> 2"},
		span: map[string]any{"n": int64(1), "list": []any{"a", 1.5, true, []byte("b")}, "map": map[string]any{"a": map[string]any{"b": "c"}}, "": ""},
	})
	resource := td.ResourceSpans().At(0)
	resource.Resource().SetDroppedAttributesCount(7)
	scope := resource.ScopeSpans().At(0)
	scope.Scope().SetVersion("1")
	scope.Scope().Attributes().PutStr("scoped", "yes")
	span := scope.Spans().At(0)
	span.TraceState().FromRaw("a=b")
	span.SetFlags(1)
	span.SetDroppedAttributesCount(4)
	span.SetDroppedEventsCount(5)
	span.SetDroppedLinksCount(6)
	span.Status().SetMessage("no")
	span.Attributes().PutEmpty("empty")
	link := span.Links().AppendEmpty()
	link.SetTraceID(traceID(7))
	link.SetSpanID(spanID(8))
	link.TraceState().FromRaw("c=d")
	link.SetFlags(2)
	link.Attributes().PutStr("role", "node")
	return td
}

// TestASpanIsReadAsItWasWritten, with everything that OTLP knows, and also when all of it has become words of the dictionary.
func TestASpanIsReadAsItWasWritten(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open(testOptions(fs, "store"))
	require.NoError(t, err)
	one := everything()
	of := func(trace uint64) []byte {
		one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetTraceID(traceID(trace))
		return encode(one)
	}
	check := func(s *Store) {
		t.Helper()
		for trace := range uint64(2 * sightings) {
			for got, err := range s.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: traceID(trace + 1)}}) {
				require.NoError(t, err)
				require.Equal(t, string(of(trace+1)), string(encode(got)))
			}
			require.Len(t, get(t, s, trace+1), 1)
		}
	}
	for trace := range uint64(2 * sightings) {
		_, err := s.Write(of(trace + 1))
		require.NoError(t, err)
	}
	require.NotEmpty(t, s.words.each[sliceAtNoon].words)
	check(s)
	assert.Empty(t, get(t, s, 99))
	require.NoError(t, s.Close())
	check(open(t, testOptions(fs, "store")))
}

var sliceAtNoon, _ = sliceOf(pcommon.NewTimestampFromTime(noon))

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
	written, err := s.Write(encode(td))
	require.NoError(t, err)
	assert.Equal(t, Written{Stored: 1, Invalid: 2}, written)
	assert.Len(t, get(t, s, 1), 1)
	written, err = s.Write(nil)
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
				if _, err := s.Write(encode(spans(batch...))); err != nil {
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

// FuzzWrite writes anything. What is taken, the decoder of pdata takes too, and what is read is what was written.
func FuzzWrite(f *testing.F) {
	for _, td := range []ptrace.Traces{
		ptrace.NewTraces(),
		spans(told{trace: 1, id: 1, service: "prod", name: "n", resource: map[string]any{"object": "o"}, event: map[string]any{"a": "b"}}),
		everything(),
	} {
		f.Add(encode(td))
	}
	f.Add([]byte("0"))
	s := openInMemory(f)
	f.Fuzz(func(t *testing.T, encoded []byte) {
		written, err := s.Write(encoded)
		td, decodeErr := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(encoded)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		require.NoError(t, decodeErr)
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
	f.Add(contextValue([]byte("a"), []byte("b")), spanHead{rich: 3, size: 4, context: 5}.append(nil))
	f.Add([]byte{0xff}, []byte{0x80})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, value := range [][]byte{a, b} {
			if resource, scope, ok := parseContextValue(value); ok {
				assert.LessOrEqual(t, len(resource)+len(scope), len(value))
			}
			if _, packed, ok := parseSpanValue(value); ok {
				assert.Less(t, len(packed), len(value))
			}
			_, _ = decodeSliceState(value)
			words := []*word{{kind: wordKey, text: "key"}, {kind: wordAttribute, text: "text"}}
			for _, of := range []*schema{ofResourceSpans, ofScopeSpans, ofSpan} {
				_, _ = unpack(nil, value, of, words)
			}
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
			values[i] = binary.BigEndian.AppendUint32(spanHead{rich: random.Uint64N(3)}.append(nil), uint32(i))
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
