// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

type counts map[string]int

var wide = Limits{Traces: 100, Spans: 10_000, Objects: 10, Concurrency: 2}

func collector(store *storagetest.Store, limits Limits, left counts) *Collector {
	return &Collector{
		Storage: store, Clusters: store.Services, Window: 30 * time.Minute, Limits: limits,
		LeftOut: func(_ context.Context, what string, n int) { left[what] += n },
	}
}

func request(w *storagetest.World, o *storagetest.Object, scope mode.Scope) Request {
	return Request{Object: o.ID(), Start: w.Start, End: w.Start.Add(time.Hour), Mode: mode.Mode{Scope: scope}}
}

func objects(g *model.Graph) map[string]int {
	all := map[string]int{}
	for _, o := range g.Objects() {
		entries := 0
		for _, life := range o.Lives {
			entries += len(life.Entries)
		}
		all[o.SpanName()] = entries
	}
	return all
}

// TestEachClusterIsAskedOnceForTheObject, over the range widened by one window, and no more if the mode looks no further.
func TestEachClusterIsAskedOnceForTheObject(t *testing.T) {
	w := storagetest.NewWorld(1)
	g, err := collector(&w.Store, wide, counts{}).Collect(t.Context(), request(w, w.Deployment, mode.Scope{}))
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"deployments/hello": 2, "replicasets/hello-1": 1, "pods/hello-1-0": 1}, objects(g))
	queries := w.Queries()
	require.Len(t, queries, 2)
	assert.ElementsMatch(t, []string{"prod", "stage"}, []string{queries[0].Service, queries[1].Service})
	for _, q := range queries {
		assert.Equal(t, map[string]any{attr.ObjectID: w.Deployment.ID().String()}, q.Attributes.AsRaw())
		assert.Equal(t, w.Start.Add(-30*time.Minute), q.StartMin)
		assert.Equal(t, w.Start.Add(time.Hour), q.StartMax)
	}

	r := request(w, w.Deployment, mode.Scope{})
	r.Cluster = "stage"
	_, err = collector(&w.Store, wide, counts{}).Collect(t.Context(), r)
	require.ErrorIs(t, err, ErrNotFound)
	assert.Len(t, w.Queries(), 3)
}

// TestOwnersOfOwnersAreAskedFor even where no trace of the object leads to them: each is told by the one below.
func TestOwnersOfOwnersAreAskedFor(t *testing.T) {
	w := storagetest.NewWorld(0)
	object := func(resource, name string, owner *storagetest.Object) *storagetest.Object {
		return &storagetest.Object{Object: identity.Object{Cluster: "prod", Group: "apps", Resource: resource, Namespace: "default", Name: name}, Owner: owner}
	}
	// A fragment: the ReplicaSet was its own root, and only said who owns it.
	fragment := object("replicasets", "late", nil)
	w.Happen(w.Start, fragment, attr.SpanTypeAudit, "create", map[string]any{
		attr.Owners: identity.FormatOwners([]identity.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "hello", UID: "d-1", Controller: true}}),
	})
	g, err := collector(&w.Store, wide, counts{}).Collect(t.Context(), request(w, fragment, mode.Scope{Owners: 3}))
	require.NoError(t, err)
	assert.Equal(t, 2, objects(g)["deployments/hello"])
	o, ok := g.Object(fragment.ID())
	require.True(t, ok)
	require.NotNil(t, o.Lives[0].OwnerLife)
	assert.Equal(t, w.Deployment.ID(), o.Lives[0].OwnerLife.Object.ID)
}

func TestLinksAreFollowedAsFarAsTheModeSays(t *testing.T) {
	w := storagetest.NewWorld(1)
	zone := &storagetest.Object{Object: identity.Object{Cluster: "stage", Group: "example.com", Resource: "zones", Name: "z1"}}
	w.Refer(w.Start, w.Node, "zone", zone)
	w.Happen(w.Start, zone, attr.SpanTypeWatch, "updated", nil)
	for links, want := range []map[string]int{
		{},
		{"nodes/n1": 1},
		{"nodes/n1": 1, "zones/z1": 1},
	} {
		g, err := collector(&w.Store, wide, counts{}).Collect(t.Context(), request(w, w.Pods[0], mode.Scope{Links: links}))
		require.NoError(t, err)
		got := objects(g)
		for _, name := range []string{"deployments/hello", "replicasets/hello-1", "pods/hello-1-0"} {
			delete(got, name)
		}
		assert.Equal(t, want, got, "%d links", links)
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Limits)
		left   counts
		text   string
	}{
		"traces":  {func(l *Limits) { l.Traces = 1 }, counts{LeftTraces: 1}, "the object occurs in more than 1 stored traces"},
		"spans":   {func(l *Limits) { l.Spans = 3 }, counts{LeftSpans: 1, LeftObjects: 1}, "a view has at most 3 spans"},
		"objects": {func(l *Limits) { l.Objects = 0 }, counts{LeftObjects: 1}, "was not looked up"},
	} {
		t.Run(name, func(t *testing.T) {
			w := storagetest.NewWorld(1)
			limits, left := wide, counts{}
			limits.Concurrency = 1
			test.change(&limits)
			r := request(w, w.Deployment, mode.Scope{})
			r.Cluster = "prod"
			if name != "traces" {
				r.Object, r.Mode.Scope.Owners = w.ReplicaSet.ID(), 1
			}
			g, err := collector(&w.Store, limits, left).Collect(t.Context(), r)
			require.NoError(t, err)
			assert.Equal(t, test.left, left)
			assert.Contains(t, strings.Join(g.Warnings(), "\n"), test.text)
		})
	}
}

// TestAFailureToLookAroundIsAWarning: the object itself is there.
func TestAFailureToLookAroundIsAWarning(t *testing.T) {
	w := storagetest.NewWorld(1)
	asked := 0
	w.Before = func(_ context.Context, call, _ string) error {
		if asked++; call == "find" && asked > 1 {
			return errors.New("down")
		}
		return nil
	}
	left := counts{}
	r := request(w, w.Pods[0], mode.Scope{Links: 1})
	r.Cluster = "prod"
	g, err := collector(&w.Store, wide, left).Collect(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, []string{"cluster prod could not be asked for nodes/n1: down"}, g.Warnings())
	assert.Equal(t, counts{LeftFailed: 1}, left)
}

// TestWhatWasBeforeAnOwnerWasKnown is found from the owner, where a span tells of it and where only nothing tells of the object's creation;
// one query asks for all of it, and for none where the creation is told.
func TestWhatWasBeforeAnOwnerWasKnown(t *testing.T) {
	w := storagetest.NewWorld(3)
	alone := func(pod *storagetest.Object) *storagetest.Object {
		copied := *pod
		copied.Owner = nil
		return &copied
	}
	w.Happen(w.Start.Add(time.Second), alone(w.Pods[0]), attr.SpanTypeAudit, "alice create", map[string]any{attr.AuditVerb: "create"})
	w.Happen(w.Start.Add(time.Second), w.Pods[1], attr.SpanTypeAudit, "alice create", map[string]any{attr.AuditVerb: "create"})
	// That it was its own root in the window before nobody can guess, but a span names the trace.
	before := alone(w.Pods[2])
	w.Happen(w.Start.Add(-2*time.Hour), before, attr.SpanTypeEvent, "Early", nil)
	own := identity.TraceID(before.Object, identity.DefaultWindow.Start(w.Start.Add(-2*time.Hour)))
	for td, err := range w.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: identity.TraceID(w.Deployment.Object, identity.DefaultWindow.Start(w.Start))}}) {
		require.NoError(t, err)
		for _, resource := range td.ResourceSpans().All() {
			span := resource.ScopeSpans().At(0).Spans().At(0)
			if kind, _ := span.Attributes().Get(attr.SpanType); kind.Str() == attr.SpanTypeObject && span.Name() == "pods/hello-1-2" {
				span.Attributes().PutStr(attr.OwnTrace, own.String())
			}
		}
	}
	asked := 0
	w.Before = func(_ context.Context, call, _ string) error {
		if call == "get" {
			asked++
		}
		return nil
	}
	r := request(w, w.Deployment, mode.Scope{Owned: 3})
	r.Cluster = "prod"
	g, err := collector(&w.Store, wide, counts{}).Collect(t.Context(), r)
	require.NoError(t, err)
	got := objects(g)
	assert.Equal(t, []int{2, 2, 2}, []int{got["pods/hello-1-0"], got["pods/hello-1-1"], got["pods/hello-1-2"]})
	assert.Equal(t, 1, asked)
	assert.Len(t, w.Queries(), 1)

	left := counts{}
	limits := wide
	limits.Traces = 2 // both of the Deployment
	w.Before = func(_ context.Context, call, _ string) error {
		if call == "get" {
			return errors.New("down")
		}
		return nil
	}
	g, err = collector(&w.Store, limits, left).Collect(t.Context(), r)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(g.Warnings(), "\n"), "what happened to owned objects before their owners were known: down")
	assert.Positive(t, left[LeftFailed])
	assert.Positive(t, left[LeftTraces])
}
