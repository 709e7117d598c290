// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package spanstore

import (
	"encoding/hex"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// benchSpans is the environment variable that says how many spans the benchmarks store. 10 million take 10 minutes or so and 2 GB.
const benchSpans = "KELEMETRY_BENCH_SPANS"

// BenchmarkStore fills a store on disk with copies of recorded spans, spread over a day, and then asks it.
func BenchmarkStore(b *testing.B) {
	want := 100_000
	if text := os.Getenv(benchSpans); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(b, err)
		want = n
	}
	r := loadRecorded(b)
	copies := max(want/r.spans, 1)
	apart := 24 * time.Hour / time.Duration(copies)
	made := cpuTime(b)
	for n := range uint64(min(copies, 100)) {
		r.copyOf(n, time.Duration(n)*apart)
	}
	making := (cpuTime(b) - made) * time.Duration(copies) / time.Duration(min(copies, 100)) // is not the store's time

	s, err := Open(Options{
		Directory: b.TempDir(), MaxAge: 1 << 62, MaxSize: 1 << 60, CheckInterval: time.Hour, CacheSize: 64 << 20, BufferSize: 64 << 20,
		Indexed: []string{attr.ObjectID, attr.ObjectName, attr.UserName, attr.EventReason, attr.ErrorType},
		MaxRead: 50_000, MaxOperations: 10_000, Observer: &observed{},
	})
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	before, spans := cpuTime(b), 0
	for n := range uint64(copies) {
		written, err := s.Write(r.copyOf(n, time.Duration(n)*apart))
		require.NoError(b, err)
		spans += written.Stored
	}
	require.NoError(b, s.db.Flush())
	writing := cpuTime(b) - before - making
	before = cpuTime(b)
	require.NoError(b, s.db.Compact(b.Context(), []byte{0}, []byte{0xff}, false))
	compacting := cpuTime(b) - before
	size := s.db.Metrics().Table.Local.LiveSize

	b.Run("write", func(b *testing.B) { // what filling took: writing, and what was compacted meanwhile
		for b.Loop() {
		}
		b.ReportMetric(float64(spans), "spans")
		b.ReportMetric(float64(spans)/writing.Seconds(), "spans/cpu-s")
		b.ReportMetric(float64(spans)/(writing+compacting).Seconds(), "spans/cpu-s-with-full-compaction")
		b.ReportMetric(float64(size)/float64(spans), "disk-B/span")
		b.ReportMetric(float64(peakMemory(b))/(1<<20), "peak-MiB")
		b.ReportMetric(0, "ns/op")
	})
	b.Run("open", func(b *testing.B) { // a trace of 2,000 spans
		large := pcommon.TraceID{1, 2, 3}
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(append(r.copyOf(1<<32, 0), r.copyOf(1<<33, 0)...))
		require.NoError(b, err)
		kept := 0
		td.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
			for _, scope := range resource.ScopeSpans().All() {
				scope.Spans().RemoveIf(func(span ptrace.Span) bool {
					span.SetTraceID(large)
					kept++
					return kept > 2000
				})
			}
			return false
		})
		_, err = s.Write(encode(td))
		require.NoError(b, err)
		require.NoError(b, s.db.Flush())
		before := cpuTime(b)
		for b.Loop() {
			n := 0
			for td, err := range s.GetTraces(b.Context(), []jaegerstorage.TraceParams{{TraceID: large}}) {
				require.NoError(b, err)
				n += td.SpanCount()
			}
			require.Equal(b, 2000, n)
		}
		reportCPU(b, before)
	})
	objects := make([]string, copies)
	for n := range objects {
		objects[n] = string(another(place{was: r.object, kind: placeObject}, uint64(n)))
	}
	search := func(b *testing.B, set func(q *jaegerstorage.Query, n int), found int) {
		n := 0
		before := cpuTime(b)
		for b.Loop() {
			q := jaegerstorage.NewQuery()
			q.Service, q.Limit = "recorded", 20
			set(&q, n%copies)
			n += 7
			traces := map[pcommon.TraceID]struct{}{}
			for td, err := range s.FindTraces(b.Context(), q) {
				require.NoError(b, err)
				traces[td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()] = struct{}{}
			}
			require.GreaterOrEqual(b, len(traces), found)
		}
		reportCPU(b, before)
	}
	b.Run("search=object", func(b *testing.B) {
		search(b, func(q *jaegerstorage.Query, n int) { q.Attributes.PutStr(attr.ObjectID, objects[n]) }, 1)
	})
	b.Run("search=newest", func(b *testing.B) {
		search(b, func(*jaegerstorage.Query, int) {}, 20)
	})
	b.Run("search=user", func(b *testing.B) {
		search(b, func(q *jaegerstorage.Query, _ int) { q.Attributes.PutStr(attr.UserName, "alice") }, 1)
	})
}

func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func reportCPU(b *testing.B, before time.Duration) {
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// peakMemory is the largest resident size so far, in bytes, where it is told in KiB.
func peakMemory(b *testing.B) int64 {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return used.Maxrss << 10
}

// TestCopiesDiffer: the benchmarks store what they say.
func TestCopiesDiffer(t *testing.T) {
	r, s := loadRecorded(t), openInMemory(t)
	for n := range uint64(3) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(r.copyOf(n, time.Duration(n)*time.Minute))
		require.NoError(t, err)
		require.Equal(t, r.spans, td.SpanCount())
		written, err := s.Write(encode(td))
		require.NoError(t, err)
		require.Equal(t, r.spans, written.Stored)
		object := string(another(place{was: r.object, kind: placeObject}, n))
		_, err = hex.DecodeString(object)
		require.NoError(t, err)
		q := jaegerstorage.NewQuery()
		q.Attributes.PutStr(attr.ObjectID, object)
		require.NotEmpty(t, find(t, s, q))
	}
	stored := 0
	it, err := s.db.NewIter(nil)
	require.NoError(t, err)
	for ok := it.First(); ok; ok = it.Next() {
		if key := it.Key(); len(key) > traceLen && key[sliceLen] == kindTrace && key[traceLen] == rowSpan {
			stored++
		}
	}
	require.NoError(t, it.Close())
	require.Equal(t, 3*r.spans, stored)
}
