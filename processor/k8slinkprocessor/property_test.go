// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup/lookuptest"
)

// world is a random forest of objects in two clusters, and everything that receivers tell of it. Some spans tell
// owners, some UIDs, some neither.
type world struct {
	objects []objectspan.Resource
	owner   []int // index of the owner, or -1
	spans   []told
}

var worldTypes = []struct{ apiVersion, kind string }{
	{"apps/v1", "Deployment"},
	{"apps/v1", "ReplicaSet"},
	{"v1", "Pod"},
	{"v1", "ConfigMap"},
	{"batch/v1", "Job"},
	{"v1", "Node"},
	{"example.com/v1alpha1", "Widget"},
	{"example.com/v1", "Policy"},
	{"example.com/v1", fleet},
}

// fleet is a cluster-scoped custom kind whose plural cannot be guessed.
const fleet = "Fleet"

func randomWorld(r *rand.Rand, size int) *world {
	w := &world{}
	for i := range size {
		t := worldTypes[r.IntN(len(worldTypes))]
		object := resource(t.apiVersion, t.kind, fmt.Sprintf("%s-%d", t.kind, i%(size/2+1)), fmt.Sprintf("uid-%d", i))
		if t.kind == fleet {
			object.Namespace, object.Object.Resource = "", "fleetz"
		}
		if r.IntN(3) == 0 {
			object.Cluster = "test"
		}
		for w.has(object.Object) {
			object.Name += "x"
		}
		w.objects = append(w.objects, object)
		w.owner = append(w.owner, w.randomOwner(r, i))
	}
	for i, object := range w.objects {
		owners := "[]"
		if w.owner[i] >= 0 {
			owners = controlledBy(w.objects[w.owner[i]])
		}
		for n := range 1 + r.IntN(3) {
			at := noon.Add(time.Duration(r.IntN(120)) * time.Minute)
			span := told{on: object, name: fmt.Sprintf("span %d of %d", n, i), at: at}
			if n == 0 || r.IntN(2) == 0 {
				span.owners = owners
			} else if r.IntN(2) == 0 {
				span.on.UID = ""
			}
			w.spans = append(w.spans, span)
		}
	}
	return w
}

func (w *world) has(o identity.Object) bool {
	for _, other := range w.objects {
		if other.Object == o {
			return true
		}
	}
	return false
}

// randomOwner takes an earlier object that Kubernetes would admit.
func (w *world) randomOwner(r *rand.Rand, child int) int {
	if child == 0 || r.IntN(5) == 0 {
		return -1
	}
	owner, of := r.IntN(child), w.objects[child]
	o := w.objects[owner]
	if o.Cluster != of.Cluster || (o.Namespace != "" && o.Namespace != of.Namespace) || w.depth(owner) > 14 {
		return -1
	}
	return owner
}

func (w *world) depth(i int) int {
	if w.owner[i] < 0 {
		return 1
	}
	return 1 + w.depth(w.owner[i])
}

func (w *world) root(i int) int {
	if w.owner[i] < 0 {
		return i
	}
	return w.root(w.owner[i])
}

// arrive is one way for it all to arrive: some of it twice, in any order, split anywhere.
func (w *world) arrive(r *rand.Rand) []ptrace.Traces {
	spans := append([]told(nil), w.spans...)
	for range len(spans) / 4 {
		spans = append(spans, w.spans[r.IntN(len(w.spans))])
	}
	r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	var batches []ptrace.Traces
	for len(spans) > 0 {
		n := 1 + r.IntN(len(spans))
		batches = append(batches, receive(spans[:n]...))
		spans = spans[n:]
	}
	return batches
}

// TestForestIsTrue is the property that the processor exists for.
func TestForestIsTrue(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := randomWorld(r, 2+r.IntN(40))
		one, other := newTestEngine(t), newTestEngine(t)

		// While knowledge is incomplete nothing is lost, and nothing false is claimed.
		early := w.arrive(r)
		want := spanCounts(early)
		runAll(one, early)
		require.Equal(t, want, spanCounts(early), "seed %d: spans were lost or invented", seed)
		w.requireTrue(t, early)
		runAll(other, w.arrive(r))

		// From then on every span is in its true place, whichever way things arrive and whoever places them.
		late, otherLate := w.arrive(r), w.arrive(r)
		runAll(one, late)
		runAll(other, otherLate)
		w.requirePlaced(t, late)
		require.Equal(t, spanPlaces(late), spanPlaces(otherLate), "seed %d", seed)

		// Merged by object id, what was stored is the true forest.
		w.requireTrue(t, slices.Concat(early, late))
		for edge := range w.edges() {
			require.Contains(t, edges(slices.Concat(early, late)), edge, "seed %d", seed)
		}

		// A third one, which has to start from what the first made, makes the same of it.
		restarted := newTestEngine(t)
		stored := slices.Concat(early, late)
		again := make([]ptrace.Traces, len(stored))
		for i, td := range stored {
			again[i] = clone(td)
		}
		runAll(restarted, again)
		for i := range late {
			again[len(early)+i] = run(restarted, clone(late[i]))
		}
		require.Equal(t, spanPlaces(late), spanPlaces(again[len(early):]), "seed %d", seed)

		// Nor did it learn anything false from that.
		runAll(restarted, w.arrive(r))
		fresh := w.arrive(r)
		runAll(restarted, fresh)
		w.requirePlaced(t, fresh)
	}
}

// TestOneBatchIsEnough: all at once, the order within the batch makes no difference at all.
func TestOneBatchIsEnough(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := randomWorld(r, 2+r.IntN(30))
		var want map[idTriple]int
		for range 4 {
			r.Shuffle(len(w.spans), func(i, j int) { w.spans[i], w.spans[j] = w.spans[j], w.spans[i] })
			td := run(newTestEngine(t), receive(w.spans...))
			if want == nil {
				want = triples(td)
			}
			require.Equal(t, want, triples(td), "seed %d", seed)
		}
	}
}

// TestSmallCacheOnlyForgets: whatever the bound, spans are kept and nothing false is claimed.
func TestSmallCacheOnlyForgets(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := randomWorld(r, 40)
		e := newTestEngine(t, func(c *Config) { c.MaxObjects = 1 + r.IntN(10) })
		var all []ptrace.Traces
		for range 3 {
			batches := w.arrive(r)
			want := spanCounts(batches)
			runAll(e, batches)
			require.Equal(t, want, spanCounts(batches))
			all = append(all, batches...)
		}
		w.requireTrue(t, all)
		require.LessOrEqual(t, e.knowledge.Stats().Objects, int64(10))
	}
}

// TestConcurrentBatchesAgree with each other once the owners are known.
func TestConcurrentBatchesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	w := randomWorld(r, 60)
	e := newTestEngine(t)
	for round := range 2 {
		var ways [][]ptrace.Traces
		for range 8 {
			ways = append(ways, w.arrive(r))
		}
		var wg sync.WaitGroup
		for i := range ways {
			wg.Go(func() { runAll(e, ways[i]) })
		}
		wg.Wait()
		if round == 1 { // everything is known
			w.requirePlaced(t, slices.Concat(ways...))
		}
	}
}

func runAll(e *engine, batches []ptrace.Traces) {
	for _, td := range batches {
		run(e, td)
	}
}

// requirePlaced checks every span against the truth.
func (w *world) requirePlaced(t *testing.T, batches []ptrace.Traces) {
	t.Helper()
	index := map[string]int{}
	for i, o := range w.objects {
		index[identity.ObjectID(o.Object).String()] = i
	}
	for _, s := range flatten(batches...) {
		i := index[s.objectID()]
		trace := identity.TraceID(w.objects[w.root(i)].Object, window.Start(s.StartTimestamp().AsTime()))
		require.Equal(t, trace, s.TraceID())
		object := identity.ObjectSpanID(trace, identity.ObjectID(w.objects[i].Object))
		if s.spanType() != attr.SpanTypeObject {
			require.Equal(t, object, s.ParentSpanID())
			continue
		}
		require.Equal(t, object, s.SpanID())
		var parent pcommon.SpanID
		if w.owner[i] >= 0 {
			parent = identity.ObjectSpanID(trace, identity.ObjectID(w.objects[w.owner[i]].Object))
		}
		require.Equal(t, parent, s.ParentSpanID())
		require.Equal(t, window.Start(s.StartTimestamp().AsTime()), s.StartTimestamp().AsTime())
		require.Equal(t, time.Duration(window), s.EndTimestamp().AsTime().Sub(s.StartTimestamp().AsTime()))
	}
}

// edge is child and owner, by object id.
type edge struct{ child, owner string }

func (w *world) edges() map[edge]bool {
	all := map[edge]bool{}
	for i, owner := range w.owner {
		if owner >= 0 {
			all[edge{identity.ObjectID(w.objects[i].Object).String(), identity.ObjectID(w.objects[owner].Object).String()}] = true
		}
	}
	return all
}

// requireTrue checks that nobody is said to own what he does not. Objects that do not exist do not count: of a kind
// that was not seen yet, the resource is a guess.
func (w *world) requireTrue(t *testing.T, batches []ptrace.Traces) {
	t.Helper()
	exists := map[string]bool{"": true}
	for _, o := range w.objects {
		exists[identity.ObjectID(o.Object).String()] = true
	}
	for edge := range edges(batches) {
		if exists[edge.owner] {
			require.Contains(t, w.edges(), edge)
		}
	}
}

// edges is what a reader sees who merges object spans by object id.
func edges(batches []ptrace.Traces) map[edge]bool {
	type key struct {
		trace pcommon.TraceID
		span  pcommon.SpanID
	}
	objects := map[key]string{}
	for _, s := range flatten(batches...) {
		if s.spanType() == attr.SpanTypeObject {
			objects[key{s.TraceID(), s.SpanID()}] = s.objectID()
		}
	}
	all := map[edge]bool{}
	for _, s := range flatten(batches...) {
		if s.spanType() == attr.SpanTypeObject && !s.ParentSpanID().IsEmpty() {
			all[edge{s.objectID(), objects[key{s.TraceID(), s.ParentSpanID()}]}] = true
		}
	}
	return all
}

// spanCounts counts the spans of receivers, whatever their place.
func spanCounts(batches []ptrace.Traces) map[string]int {
	counts := map[string]int{}
	for _, s := range flatten(batches...) {
		if s.spanType() != attr.SpanTypeObject {
			counts[s.Name()+s.SpanID().String()]++
		}
	}
	return counts
}

// spanPlaces is where the spans of receivers are, duplicates left out.
func spanPlaces(batches []ptrace.Traces) map[idTriple]bool {
	places := map[idTriple]bool{}
	for _, s := range flatten(batches...) {
		if s.spanType() != attr.SpanTypeObject {
			places[idTriple{s.TraceID(), s.SpanID(), s.ParentSpanID()}] = true
		}
	}
	return places
}

func TestPicturesOfRandomForests(t *testing.T) {
	// A picture would show a span whose parent is missing as lost.
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		w := randomWorld(r, 30)
		batches := w.arrive(r)
		runAll(newTestEngine(t), batches)
		assert.NotContains(t, picture(batches...), "(lost)")
	}
}

// clusters are the API servers of the world. Each object is known to a watch with a chance of one in four.
func (w *world) clusters(r *rand.Rand) *lookuptest.Clusters {
	c := lookuptest.New("prod", "test")
	for i, o := range w.objects {
		if w.owner[i] >= 0 {
			c.Put(o, w.objects[w.owner[i]])
		} else {
			c.Put(o)
		}
		if r.IntN(4) == 0 {
			c.Watch(o)
		}
	}
	c.Serve("example.com", fleet, "fleetz", meta.RESTScopeRoot)
	c.Serve("example.com", "Widget", "widgets", meta.RESTScopeNamespace)
	c.Serve("example.com", "Policy", "policies", meta.RESTScopeNamespace)
	return c
}

// TestForestIsTrueWhateverIsLookedUp: few spans tell owners, look-ups get lost, and yet nothing is lost or falsely
// claimed; and as soon as look-ups are answered, everything is in its true place, at once.
func TestForestIsTrueWhateverIsLookedUp(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		w := randomWorld(r, 2+r.IntN(40))
		for i := range w.spans {
			if r.IntN(5) > 0 {
				w.spans[i].owners = ""
			}
		}
		c := w.clusters(r)
		var losses atomic.Int64
		losses.Store(int64(r.IntN(10)))
		var mu sync.Mutex
		c.Answer(func(context.Context, identity.Object) error {
			mu.Lock()
			defer mu.Unlock()
			if r.Int64N(10) < losses.Load() {
				return kubecluster.ErrUnavailable
			}
			return nil
		})
		e := withLookups(t, newTestEngine(t), c)
		mu.Lock()
		early := w.arrive(r)
		mu.Unlock()
		want := spanCounts(early)
		runAll(e, early)
		require.Equal(t, want, spanCounts(early), "seed %d: spans were lost or invented", seed)
		w.requireTrue(t, early)

		losses.Store(0)
		for _, engine := range []*engine{e, withLookups(t, newTestEngine(t), c)} {
			mu.Lock()
			late := w.arrive(r)
			mu.Unlock()
			runAll(engine, late)
			w.requirePlaced(t, late)
			for edge := range w.edges() {
				require.Contains(t, edges(slices.Concat(early, late)), edge, "seed %d", seed)
			}
			engine.lookups.Wait()
		}
	}
}
