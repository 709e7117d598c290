// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup/lookuptest"
)

// TestObjectsThatNoSpanShowsAreLookedUp, once, if a rule is for them.
func TestObjectsThatNoSpanShowsAreLookedUp(t *testing.T) {
	a := pod("a")
	there := func() *lookuptest.Clusters {
		c := lookuptest.New("prod")
		c.Put(a)
		c.Show(a, `{"metadata": {"name": "a", "uid": "uid-a"}, "spec": {"nodeName": "n1"}}`)
		return c
	}
	want := []string{
		"nodes/n1 (below nodes/n1) node < pods/a (below pods/a)",
		"pods/a (below pods/a) node > nodes/n1 (below nodes/n1)",
	}
	results := func(e *engine, td ptrace.Traces) map[lookup.Result]int64 {
		b := attempt(e, td)
		e.accepted(b)
		return b.stats.objectLookups
	}
	patch := func() ptrace.Traces { return receive(told{on: a, name: "patch"}) }

	e := withLookups(t, newTestEngine(t), there())
	td := patch()
	assert.Equal(t, map[lookup.Result]int64{lookup.Found: 1}, results(e, td))
	assert.Equal(t, want, linkPicture(t, td))
	assert.Empty(t, results(e, patch()), "what is known is not asked again")
	assert.Empty(t, results(e, receive(told{on: deployment("web"), name: "patch"})), "no rule is for Deployments")

	known := withLookups(t, newTestEngine(t), lookuptest.New("prod"))
	assert.Empty(t, results(known, show(shown{told: told{on: a, name: "create"}, snapshot: podOn("n1"), version: "1"})), "spans show it whole")

	off := withLookups(t, newTestEngine(t, func(c *Config) { c.Links.Lookup = false }), there())
	assert.Empty(t, results(off, patch()))

	other := a
	other.UID = "uid-before"
	assert.Equal(t, map[lookup.Result]int64{lookup.OtherLife: 1}, results(withLookups(t, newTestEngine(t), there()), receive(told{on: other, name: "patch"})))
	assert.Equal(t, map[lookup.Result]int64{lookup.NotFound: 1}, results(withLookups(t, newTestEngine(t), there()), receive(told{on: pod("b"), name: "patch"})))
	elsewhere := a
	elsewhere.Cluster = "test"
	assert.Equal(t, map[lookup.Result]int64{lookup.NoCluster: 1}, results(withLookups(t, newTestEngine(t), there()), receive(told{on: elsewhere, name: "patch"})))

	broken := there()
	broken.Answer(func(context.Context, identity.Object) error { return errors.New("no") })
	assert.Equal(t, map[lookup.Result]int64{lookup.Unavailable: 1}, results(withLookups(t, newTestEngine(t), broken), patch()))
}

// TestAChangeInsideAListHasTheObjectLookedUp: the new Volume is not in the diff in a form that can be followed.
func TestAChangeInsideAListHasTheObjectLookedUp(t *testing.T) {
	a := pod("a")
	clusters := lookuptest.New("prod")
	e := withLookups(t, newTestEngine(t), clusters)
	created := run(e, show(shown{told: told{on: a, name: "created", owners: "[]"}, version: "1", snapshot: `{"spec": {"volumes": [{"name": "x"}]}}`}))
	update := func(n int) ptrace.Traces {
		return show(shown{told: told{on: a, name: "updated", at: noon.Add(time.Duration(n) * time.Minute)}, version: "2", diff: map[string]string{
			"spec.volumes[name=d]": `null -> {"name":"d","persistentVolumeClaim":{"claimName":"data"}}`,
		}})
	}
	clusters.Show(a, `{"metadata": {"uid": "uid-a", "resourceVersion": "1"}, "spec": {"volumes": [{"name": "x"}]}}`)
	run(e, update(1)) // a cache answers that has not heard of the change
	clusters.Show(a, `{"metadata": {"uid": "uid-a", "resourceVersion": "2"}, "spec": {"volumes": [{"name": "x"}, {"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}}`)
	td := run(e, update(2))
	assert.Contains(t, linkPicture(t, created, td), "pods/a (below pods/a) volume-claim > persistentvolumeclaims/data (below persistentvolumeclaims/data)")
}
