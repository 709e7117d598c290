// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	stdslices "slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

func TestSearch(t *testing.T) {
	s := openInMemory(t)
	write(t, s,
		told{trace: 1, id: 1, service: "prod", name: "deployments/web", resource: map[string]any{"object": "web"}},
		told{trace: 1, id: 2, service: "prod", name: "patch", lasts: time.Second, resource: map[string]any{"object": "web"}, span: map[string]any{"user": "alice", "code": int64(200)}},
		told{trace: 2, id: 1, service: "prod", name: "patch", at: time.Minute, lasts: 3 * time.Second, failed: true, span: map[string]any{"user": "bob"}, kind: ptrace.SpanKindServer},
		told{trace: 3, id: 1, service: "test", name: "patch", at: 2 * time.Hour, span: map[string]any{"user": "alice"}, event: map[string]any{"spec.replicas": "2 -> 5", "user": "eve"}},
		told{trace: 4, id: 1, service: "prod", name: "create", at: -5 * time.Hour, span: map[string]any{"user": "alice"}},
		told{trace: 4, id: 2, service: "prod", name: "delete", at: -4 * time.Hour, span: map[string]any{"user": "bob", "code": int64(404)}},
	)
	type q = jaegerstorage.Query
	for name, row := range map[string]struct {
		set  func(*q)
		want []uint64
	}{
		"everything, the newest first":  {func(*q) {}, []uint64{3, 2, 1, 4}},
		"no more than the limit":        {func(q *q) { q.Limit = 2 }, []uint64{3, 2}},
		"service":                       {func(q *q) { q.Service = "prod" }, []uint64{2, 1, 4}},
		"unknown service":               {func(q *q) { q.Service = "nobody" }, []uint64{}},
		"operation":                     {func(q *q) { q.Service, q.Operation = "prod", "patch" }, []uint64{2, 1}},
		"operation of any service":      {func(q *q) { q.Operation = "patch" }, []uint64{3, 2, 1}},
		"indexed attribute":             {func(q *q) { q.Attributes.PutStr("user", "alice") }, []uint64{3, 1, 4}},
		"of the resource":               {func(q *q) { q.Attributes.PutStr("object", "web") }, []uint64{1}},
		"of an event":                   {func(q *q) { q.Attributes.PutStr("user", "eve") }, []uint64{3}},
		"attribute that is not indexed": {func(q *q) { q.Attributes.PutStr("spec.replicas", "2 -> 5") }, []uint64{3}},
		"number as text":                {func(q *q) { q.Attributes.PutStr("code", "200") }, []uint64{1}},
		"number":                        {func(q *q) { q.Attributes.PutInt("code", 404) }, []uint64{4}},
		"all on one span":               {func(q *q) { q.Attributes.PutStr("user", "alice"); q.Attributes.PutStr("code", "404") }, []uint64{}},
		"two that are indexed":          {func(q *q) { q.Attributes.PutStr("user", "alice"); q.Attributes.PutStr("object", "web") }, []uint64{1}},
		"service and attribute":         {func(q *q) { q.Service = "prod"; q.Attributes.PutStr("user", "alice") }, []uint64{1, 4}},
		"failed":                        {func(q *q) { q.Attributes.PutStr("error", "true") }, []uint64{2}},
		"kind":                          {func(q *q) { q.Attributes.PutStr("span.kind", "server") }, []uint64{2}},
		"from":                          {func(q *q) { q.StartMin = noon.Add(time.Minute) }, []uint64{3, 2}},
		"to":                            {func(q *q) { q.StartMax = noon }, []uint64{1, 4}},
		"between":                       {func(q *q) { q.StartMin, q.StartMax = noon, noon.Add(time.Hour) }, []uint64{2, 1}},
		"at least so long":              {func(q *q) { q.DurationMin = time.Second }, []uint64{2, 1}},
		"at most so long":               {func(q *q) { q.Operation, q.DurationMax = "patch", time.Second }, []uint64{3, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, row.want, find(t, s, query(row.set)))
		})
	}
}

// TestTheIndexLosesNothing: a search finds what reading everything finds, whatever is in memory or in tables.
func TestTheIndexLosesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	o := testOptions(vfs.NewMem(), "store")
	s := open(t, o)
	everything := map[uint64]ptrace.Traces{}
	pick := func(of string, n int) string { return fmt.Sprint(of, random.IntN(n)) }
	for id := range uint64(400) {
		one := told{
			trace: random.Uint64N(80) + 1, id: id + 1, service: pick("service", 3), name: pick("name", 4),
			at: time.Duration(random.Int64N(int64(5 * time.Hour))), lasts: time.Duration(random.Int64N(int64(time.Minute))),
			resource: map[string]any{"object": pick("object", 30)}, span: map[string]any{"user": pick("user", 5), "verb": pick("verb", 3)},
		}
		write(t, s, one)
		if _, ok := everything[one.trace]; !ok {
			everything[one.trace] = ptrace.NewTraces()
		}
		spans(one).ResourceSpans().MoveAndAppendTo(everything[one.trace].ResourceSpans())
		if id == 200 {
			require.NoError(t, s.db.Flush())
		}
	}
	for range 100 {
		q := query(func(q *jaegerstorage.Query) {
			sometimes := func(do func()) {
				if random.IntN(3) == 0 {
					do()
				}
			}
			sometimes(func() { q.Service = pick("service", 3) })
			sometimes(func() { q.Operation = pick("name", 4) })
			sometimes(func() { q.Attributes.PutStr("user", pick("user", 5)) })
			sometimes(func() { q.Attributes.PutStr("object", pick("object", 30)) })
			sometimes(func() { q.Attributes.PutStr("verb", pick("verb", 3)) })
			sometimes(func() { q.StartMin = noon.Add(time.Duration(random.Int64N(int64(5 * time.Hour)))) })
			sometimes(func() { q.StartMax = noon.Add(time.Duration(random.Int64N(int64(5 * time.Hour)))) })
			sometimes(func() { q.DurationMin = time.Duration(random.Int64N(int64(time.Minute))) })
		})
		want := []uint64{}
		for id, td := range everything {
			if newMatch(q).any(td) {
				want = append(want, id)
			}
		}
		require.ElementsMatch(t, want, find(t, s, q), "%+v %v", q, q.Attributes.AsRaw())
	}
}

// TestAnotherIndexFindsOlderSpansToo: what is not indexed is read.
func TestAnotherIndexFindsOlderSpansToo(t *testing.T) {
	fs := vfs.NewMem()
	for i, indexed := range [][]string{{"user"}, {"user", "verb"}, {"verb"}, nil} {
		o := testOptions(fs, "store")
		o.Indexed = indexed
		s, err := Open(o)
		require.NoError(t, err)
		both := map[string]any{"user": "alice", "verb": "get"}
		write(t, s,
			told{trace: uint64(2*i + 1), id: 1, service: "prod", name: "n", at: time.Duration(-2*i) * time.Minute, span: both},
			told{trace: uint64(2*i + 2), id: 1, service: "prod", name: "n", at: time.Duration(-2*i-1) * time.Hour, span: both},
		)
		for _, key := range []string{"user", "verb"} {
			assert.Len(t, find(t, s, query(func(q *jaegerstorage.Query) { q.Attributes.PutStr(key, both[key].(string)) })), 2*i+2, "%v %s", indexed, key)
		}
		require.NoError(t, s.Close())
	}
}

func TestASearchReadsNoMoreThanItMay(t *testing.T) {
	o := testOptions(vfs.NewMem(), "store")
	core, logs := observer.New(zap.WarnLevel)
	o.MaxRead, o.Logger = 3, zap.New(core)
	s := open(t, o)
	for i := range uint64(10) {
		write(t, s, told{trace: i + 1, id: 1, service: "prod", name: "n", span: map[string]any{"verb": "get"}})
	}
	assert.Len(t, find(t, s, query(func(q *jaegerstorage.Query) { q.Service = "prod" })), 3)
	assert.Equal(t, 1, o.Observer.(*observed).cut)
	require.Equal(t, 1, logs.Len())
	assert.Contains(t, logs.All()[0].Message, "raise max_traces_read")
	assert.Len(t, find(t, s, query(func(q *jaegerstorage.Query) { q.Service, q.Limit = "prod", 2 })), 2)
	assert.Equal(t, 1, o.Observer.(*observed).cut)
}

func TestSummaries(t *testing.T) {
	s := openInMemory(t)
	write(t, s,
		told{trace: 1, id: 1, service: "prod", name: "deployments/web", lasts: time.Hour},
		told{trace: 1, id: 2, parent: 1, service: "prod", name: "patch", at: 10 * time.Minute, failed: true},
		told{trace: 1, id: 3, parent: 9, service: "test", name: "lost", at: 20 * time.Minute},
		told{trace: 2, id: 1, parent: 5, service: "prod", name: "alone", at: -time.Hour},
	)
	var got []jaegerstorage.Summary
	for summaries, err := range s.FindTraceSummaries(t.Context(), query(func(*jaegerstorage.Query) {})) {
		require.NoError(t, err)
		got = append(got, summaries...)
	}
	assert.Equal(t, []jaegerstorage.Summary{
		{
			TraceID: traceID(1), RootService: "prod", RootOperation: "deployments/web", Start: noon, End: noon.Add(time.Hour),
			Spans: 3, ErrorSpans: 1, Orphaned: 1,
			Services: []jaegerstorage.ServiceSummary{{Name: "prod", Spans: 2, ErrorSpans: 1}, {Name: "test", Spans: 1}},
		},
		{
			TraceID: traceID(2), Start: noon.Add(-time.Hour), End: noon.Add(-time.Hour), Spans: 1, Orphaned: 1,
			Services: []jaegerstorage.ServiceSummary{{Name: "prod", Spans: 1}},
		},
	}, got)
}

func TestServicesAndOperations(t *testing.T) {
	o := testOptions(vfs.NewMem(), "store")
	o.MaxOperations = 3
	s := open(t, o)
	write(t, s,
		told{trace: 1, id: 1, service: "prod", name: "patch"},
		told{trace: 1, id: 2, service: "prod", name: "patch", at: time.Hour},
		told{trace: 1, id: 3, service: "prod", name: "create", kind: ptrace.SpanKindInternal},
		told{trace: 1, id: 4, service: "production", name: "delete"},
		told{trace: 1, id: 5, name: "of nobody"},
	)
	services, err := s.Services(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"", "prod", "production"}, services)
	operations, err := s.Operations(t.Context(), "prod", "")
	require.NoError(t, err)
	assert.Equal(t, []jaegerstorage.Operation{{Name: "create", SpanKind: "internal"}, {Name: "patch"}}, operations)
	operations, err = s.Operations(t.Context(), "prod", "internal")
	require.NoError(t, err)
	assert.Equal(t, []jaegerstorage.Operation{{Name: "create", SpanKind: "internal"}}, operations)
	for i := range 5 {
		write(t, s, told{trace: 2, id: 1, service: "many", name: fmt.Sprint(i)})
	}
	operations, err = s.Operations(t.Context(), "many", "")
	require.NoError(t, err)
	assert.Len(t, operations, 3)
	dependencies, err := s.Dependencies(t.Context(), noon, time.Hour)
	require.NoError(t, err)
	assert.Empty(t, dependencies)
}

// TestReadingEndsWithItsConsumer and with its context.
func TestReadingEndsWithItsConsumer(t *testing.T) {
	s := openInMemory(t)
	for i := range uint64(3) {
		write(t, s, told{trace: i + 1, id: 1, service: "prod", name: "n"})
	}
	for _, err := range s.FindTraces(t.Context(), query(func(*jaegerstorage.Query) {})) {
		require.NoError(t, err)
		break
	}
	for _, err := range s.FindTraceSummaries(t.Context(), query(func(*jaegerstorage.Query) {})) {
		require.NoError(t, err)
		break
	}
	ctx, cancel := contextThatEnded(t)
	defer cancel()
	for _, err := range s.FindTraces(ctx, query(func(*jaegerstorage.Query) {})) {
		require.ErrorIs(t, err, ctx.Err())
	}
	for _, err := range s.GetTraces(ctx, []jaegerstorage.TraceParams{{TraceID: traceID(1)}}) {
		require.ErrorIs(t, err, ctx.Err())
	}
}

// TestTheIndexOrdersByBucket: an index key of a later bucket comes first.
func TestTheIndexOrdersByBucket(t *testing.T) {
	keys := [][]byte{indexRow{in: 1, term: 2, bucket: 0}.key(), indexRow{in: 1, term: 2, bucket: 11}.key(), indexRow{in: 1, term: 2, bucket: 5}.key()}
	stdslices.SortFunc(keys, func(a, b []byte) int { return cmp.Compare(string(a), string(b)) })
	var buckets []byte
	for _, key := range keys {
		require.Len(t, key, indexLen)
		buckets = append(buckets, ^key[termLen])
	}
	assert.Equal(t, []byte{11, 5, 0}, buckets)
}
