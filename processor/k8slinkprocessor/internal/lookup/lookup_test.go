// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup/lookuptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is look-ups in a cluster "prod".
type rig struct {
	*lookup.Lookups
	clusters *lookuptest.Clusters

	mu      sync.Mutex // guards results
	results map[string]int
}

func newRig(t *testing.T, change ...func(*lookup.Settings)) *rig {
	settings := lookup.Settings{
		Timeout: time.Second, MaxConcurrent: 4, NegativeTTL: 30 * time.Second, MaxRemembered: 100, Several: hierarchy.ControllerOnly,
	}
	for _, f := range change {
		f(&settings)
	}
	r := &rig{clusters: lookuptest.New("prod"), results: map[string]int{}}
	var err error
	r.Lookups, err = lookup.New(settings, r.clusters, func(source hierarchy.Source, result lookup.Result) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.results[fmt.Sprint(map[hierarchy.Source]string{hierarchy.SourceWatch: "watch ", hierarchy.SourceLookup: "api "}[source], result)]++
	}, time.Now)
	require.NoError(t, err)
	return r
}

func object(kind, name string) objectspan.Resource {
	return objectspan.Resource{
		Object: identity.Object{Cluster: "prod", Group: "apps", Resource: kind + "s", Namespace: "shop", Name: name},
		Kind:   kind, APIVersion: "apps/v1", UID: "uid-" + name,
	}
}

var web, rs = object("Deployment", "web"), object("ReplicaSet", "web-1")

func of(r objectspan.Resource) hierarchy.Question {
	return hierarchy.Question{Object: r.Object, UID: r.UID}
}

// owner returns the name of the one answer's owner; "none" if there is none, and "" if there is no answer.
func (r *rig) owner(t *testing.T, q hierarchy.Question) string {
	t.Helper()
	answers := r.Batch().Owners(t.Context(), []hierarchy.Question{q})
	if len(answers) == 0 {
		return ""
	}
	ref, ok := answers[0].Owners.Value().Owner()
	if !ok {
		return "none"
	}
	return ref.Name
}

func TestWhoIsInThisProcessIsAskedBeforeTheAPIServer(t *testing.T) {
	r := newRig(t)
	r.clusters.Put(rs, web)
	r.clusters.Put(web)
	r.clusters.Watch(rs)
	assert.Equal(t, "web", r.owner(t, of(rs)))
	assert.Equal(t, "none", r.owner(t, of(web)))
	assert.Equal(t, map[string]int{"watch found": 1, "api found": 1}, r.results)
	asked, _ := r.clusters.Asked(rs)
	assert.Zero(t, asked)
}

func TestOnlyTheRightLifeCounts(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		uid    string
		latest time.Time
		want   string
	}{
		"this UID":                         {"uid-web-1", time.Time{}, "web"},
		"another UID":                      {"uid-before", created.Add(time.Hour), ""},
		"no UID, and no span":              {"", time.Time{}, "web"},
		"no UID, and a span later":         {"", created.Add(time.Second), "web"},
		"no UID, and the span of creation": {"", created.Add(-100 * time.Millisecond), "web"},
		"no UID, and spans from before":    {"", created.Add(-2 * time.Second), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, watched := range []bool{true, false} {
				r := newRig(t)
				r.clusters.Put(rs, web).CreationTimestamp = metav1.NewTime(created)
				if watched {
					r.clusters.Watch(rs)
				}
				q := hierarchy.Question{Object: rs.Object, UID: tt.uid}
				if !tt.latest.IsZero() {
					q.Latest = pcommon.NewTimestampFromTime(tt.latest)
				}
				assert.Equal(t, tt.want, r.owner(t, q))
			}
		})
	}
}

func TestFailuresAreRememberedForTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		unavailable := object("ReplicaSet", "unavailable")
		r.clusters.Answer(func(_ context.Context, o identity.Object) error {
			if o == unavailable.Object {
				return kubecluster.ErrUnavailable
			}
			return nil
		})
		other := rs
		other.UID = "another"
		r.clusters.Put(rs)
		for range 3 {
			assert.Empty(t, r.owner(t, of(web)))
			assert.Empty(t, r.owner(t, of(unavailable)))
			assert.Empty(t, r.owner(t, of(other)))
		}
		assert.Equal(t, map[string]int{"api not_found": 1, "api unavailable": 1, "api other_life": 1, "remembered": 6}, r.results)
		assert.Equal(t, "none", r.owner(t, of(rs)), "the other life is remembered, and not the name")

		time.Sleep(6 * time.Second)
		r.owner(t, of(web))
		r.owner(t, of(unavailable))
		assert.Equal(t, 2, r.results["api unavailable"])
		assert.Equal(t, 1, r.results["api not_found"])
		time.Sleep(25 * time.Second)
		r.owner(t, of(web))
		assert.Equal(t, 2, r.results["api not_found"])
	})
}

func TestABatchWaitsNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.clusters.Answer(func(ctx context.Context, o identity.Object) error {
			if o.Name == "slow" {
				<-ctx.Done()
				return fmt.Errorf("%w: %w", kubecluster.ErrUnavailable, ctx.Err())
			}
			return nil
		})
		b := r.Batch()
		begun := time.Now()
		r.clusters.Put(web)
		answers := b.Owners(t.Context(), []hierarchy.Question{of(object("ReplicaSet", "slow")), of(web)})
		require.Len(t, answers, 1, "what came in time counts")
		assert.Equal(t, 1, answers[0].Question)
		assert.Equal(t, time.Second, time.Since(begun))
		assert.Equal(t, time.Second, b.Spent())

		assert.Empty(t, b.Owners(t.Context(), []hierarchy.Question{of(rs)}), "there is no time left for another level")
		assert.Equal(t, time.Second, time.Since(begun))
		assert.Equal(t, map[string]int{"api found": 1, "api timeout": 2}, r.results)
		r.clusters.Put(rs, web)
		assert.Equal(t, "web", r.owner(t, of(rs)), "which is not remembered: the next batch may have the time")
	})
}

func TestFewAreUnderWayAtATimeForAllBatchesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		gate := make(chan struct{})
		r.clusters.Answer(func(context.Context, identity.Object) error {
			<-gate
			return nil
		})
		var all sync.WaitGroup
		for batch := range 3 {
			all.Go(func() {
				var questions []hierarchy.Question
				for i := range 10 {
					questions = append(questions, of(object("ReplicaSet", fmt.Sprint(batch, "-", i))))
				}
				r.Batch().Owners(t.Context(), questions)
			})
		}
		synctest.Wait()
		_, asked := r.clusters.Asked(web)
		assert.Equal(t, 4, asked)
		close(gate)
		all.Wait()
		_, asked = r.clusters.Asked(web)
		assert.Equal(t, 30, asked)
	})
}

func TestOneObjectIsAskedForOnceInABatch(t *testing.T) {
	r := newRig(t)
	r.clusters.Put(rs, web)
	unknown := of(rs)
	unknown.UID = ""
	answers := r.Batch().Owners(t.Context(), []hierarchy.Question{of(rs), unknown})
	assert.Len(t, answers, 2)
	asked, _ := r.clusters.Asked(rs)
	assert.Equal(t, 1, asked)
}

func TestAnUnknownClusterIsNotAsked(t *testing.T) {
	r := newRig(t)
	elsewhere := rs
	elsewhere.Cluster = "test"
	assert.Empty(t, r.owner(t, of(elsewhere)))
	assert.Empty(t, r.Batch().Kinds(t.Context(), []hierarchy.Kind{{Cluster: "test", Group: "g", Kind: "K"}}))
	assert.Equal(t, map[string]int{"no_cluster": 1}, r.results)
}

func TestKindsAreMapped(t *testing.T) {
	r := newRig(t)
	r.clusters.Serve("example.com", "Cactus", "cacti", meta.RESTScopeNamespace)
	r.clusters.Serve("example.com", "Planet", "planets", meta.RESTScopeRoot)
	types := r.Batch().Kinds(t.Context(), []hierarchy.Kind{
		{Cluster: "prod", Group: "example.com", Kind: "Cactus"},
		{Cluster: "prod", Group: "example.com", Kind: "Nothing"},
		{Cluster: "prod", Group: "example.com", Kind: "Planet"},
	})
	assert.Equal(t, []hierarchy.Type{
		{Kind: hierarchy.Kind{Cluster: "prod", Group: "example.com", Kind: "Cactus"}, Resource: "cacti", Namespaced: true},
		{Kind: hierarchy.Kind{Cluster: "prod", Group: "example.com", Kind: "Planet"}, Resource: "planets"},
	}, types)
	r.Wait()
}

func TestTheMemoryOfFailuresIsBounded(t *testing.T) {
	r := newRig(t, func(s *lookup.Settings) { s.MaxRemembered = 10 })
	for i := range 25 {
		r.owner(t, of(object("ReplicaSet", fmt.Sprint(i))))
	}
	assert.EqualValues(t, 15, r.Evictions())
}

// TestWhoGivesUpLeavesNoMemory: nobody has said that there is no such thing, so the next batch asks again.
func TestWhoGivesUpLeavesNoMemory(t *testing.T) {
	r := newRig(t)
	r.clusters.Put(rs, web)
	r.clusters.Serve("example.com", "Cactus", "prickly-ones", meta.RESTScopeNamespace)
	kinds := []hierarchy.Kind{{Cluster: "prod", Group: "example.com", Kind: "Cactus"}}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)

	abandoned := r.Batch()
	assert.Empty(t, abandoned.Owners(ctx, []hierarchy.Question{of(rs)}))
	assert.Empty(t, abandoned.Kinds(ctx, kinds))
	assert.Equal(t, gone, abandoned.Abandoned())
	assert.Equal(t, map[string]int{"api abandoned": 1}, r.results)

	next := r.Batch()
	assert.Len(t, next.Owners(t.Context(), []hierarchy.Question{of(rs)}), 1)
	assert.Len(t, next.Kinds(t.Context(), kinds), 1)
	require.NoError(t, next.Abandoned())
	r.Wait()
}
