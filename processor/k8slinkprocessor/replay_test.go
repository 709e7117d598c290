// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// TestOneBehindTheOtherChangesNothing: what one k8slink made, another leaves as it is, even if it starts with a part
// of it and therefore knows less.
func TestOneBehindTheOtherChangesNothing(t *testing.T) {
	web, rs, a := deployment("web"), replicaSet("rs"), pod("a")
	first := newTestEngine(t)
	batches := []ptrace.Traces{
		run(first, receive(
			told{on: web, name: "create web", owners: "[]"},
			told{on: rs, name: "create rs", owners: controlledBy(web)},
			told{on: a, name: "create a", owners: controlledBy(rs)},
		)),
		run(first, receive(told{on: a, name: "patch a"})),
		run(first, receive(told{on: rs, name: "patch rs"})),
	}
	want := picture(batches...)
	for skip := range batches {
		second := newTestEngine(t)
		var got []ptrace.Traces
		for _, td := range append(batches[skip:], batches[:skip]...) {
			got = append(got, run(second, clone(td)))
		}
		assert.Equal(t, want, picture(got...))
		assert.Equal(t, idPairs(batches...), idPairs(got...))
	}
}

// TestTheOneThatKnowsMoreDecides: a second k8slink that knows the owner moves what the first could not place. The
// object's span stays also where it was, because spans that went another way may be below it.
func TestTheOneThatKnowsMoreDecides(t *testing.T) {
	rs, a := replicaSet("rs"), pod("a")
	early := run(newTestEngine(t), receive(told{on: a, name: "patch a"}))
	second := newTestEngine(t)
	taught := run(second, receive(told{on: a, name: "create a", owners: controlledBy(rs)}))
	run(second, early)
	assert.Equal(t, trimPicture(`
		pods/a

		replicasets/rs
		  pods/a
		    create a
		    patch a`), picture(taught, early))
}

// TestNoSpanLosesItsParentOnTheWay: the second knows the owner of an owner, but not whose spans these are.
func TestNoSpanLosesItsParentOnTheWay(t *testing.T) {
	web, rs, a := deployment("web"), replicaSet("rs"), pod("a")
	first, second := newTestEngine(t), newTestEngine(t)
	taught := run(second, receive(
		told{on: rs, name: "create rs", owners: controlledBy(web)},
		told{on: web, name: "create web", owners: "[]"},
	))
	run(first, receive(told{on: a, name: "create a", owners: controlledBy(rs)}))
	later := run(first, receive(told{on: a, name: "patch a", at: noon.Add(time.Hour)}))
	for _, s := range flatten(later) { // what the first had learned is not told again
		if s.Name() == "pods/a" {
			s.Attributes().Remove(attr.OwnersSeen)
		}
	}
	run(second, later)
	assert.NotContains(t, picture(taught, later), "(lost)")
	assert.Contains(t, picture(taught, later), trimPicture(`
		replicasets/rs 13:00
		  pods/a 13:00
		    patch a`))
}

// TestSecondAttemptWithTheSameData: a caller whose batch failed may send the data as this processor left it.
func TestSecondAttemptWithTheSameData(t *testing.T) {
	web, rs, a := deployment("web"), replicaSet("rs"), pod("a")
	reconcile := foreignSpan{name: "reconcile", id: 1, parent: 7, on: &a}
	e := newTestEngine(t)
	td := receive(
		told{on: rs, name: "create rs", owners: controlledBy(web)},
		told{on: a, name: "create a", owners: controlledBy(rs)},
	)
	foreignBatch(reconcile).ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	attempt(e, td) // and the next consumer fails
	want, wantIDs := picture(td), triples(td)
	attempt(e, td)
	assert.Equal(t, want, picture(td))
	assert.Equal(t, wantIDs, triples(td))
	assert.Contains(t, want, "deployments/web")
}

// TestObjectSpanIsEmittedOncePerWindow and again for those whose first batch was refused.
func TestObjectSpanIsEmittedOncePerWindow(t *testing.T) {
	rs, a := replicaSet("rs"), pod("a")
	e := newTestEngine(t)
	objects := func(td ptrace.Traces) (n int) {
		for _, s := range flatten(td) {
			if s.spanType() == attr.SpanTypeObject {
				n++
			}
		}
		return n
	}
	batch := func() ptrace.Traces { return receive(told{on: a, name: "patch", owners: controlledBy(rs)}) }

	refused := batch()
	attempt(e, refused)
	assert.Equal(t, 2, objects(refused))
	assert.Equal(t, 2, objects(run(e, batch())), "not accepted, so not sent")
	assert.Equal(t, 0, objects(run(e, batch())))
	next := run(e, receive(told{on: a, name: "patch", at: noon.Add(time.Duration(window))}))
	assert.Equal(t, 2, objects(next), "a new window")
}

// TestOwnerReferencesMoveToTheObjectSpan, except where they teach nothing.
func TestOwnerReferencesMoveToTheObjectSpan(t *testing.T) {
	rs, a := replicaSet("rs"), pod("a")
	td := run(newTestEngine(t), receive(
		told{on: a, name: "create", owners: controlledBy(rs)},
		told{on: a, name: "garbage", owners: "?"},
		told{on: a, name: "dry run", owners: "[]", dryRun: true},
	))
	got := map[string]string{}
	for _, s := range flatten(td) {
		if v, ok := s.Attributes().Get(attr.Owners); ok {
			got[s.Name()] = v.Str()
		}
	}
	assert.Equal(t, map[string]string{"pods/a": controlledBy(rs), "garbage": "?", "dry run": "[]"}, got)
}

// TestObjectSpanComesAgainWithItsOwners, when these become known without a change of trace.
func TestObjectSpanComesAgainWithItsOwners(t *testing.T) {
	a := pod("a")
	owners := `[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"1"},{"apiVersion":"v1","kind":"ConfigMap","name":"y","uid":"2"}]`
	e := newTestEngine(t)
	before := run(e, receive(told{on: a, name: "patch"}))
	after := run(e, receive(told{on: a, name: "create", owners: owners}))
	assert.Len(t, flatten(before), 2)
	assert.Len(t, flatten(after), 2)
	again := run(e, receive(told{on: a, name: "patch", owners: owners}))
	assert.Len(t, flatten(again), 1)
}

// TestALateOwnerLeavesALinkToWhereTheObjectWas, once in a window.
func TestALateOwnerLeavesALinkToWhereTheObjectWas(t *testing.T) {
	web, rs, a := deployment("web"), replicaSet("rs"), pod("a")
	e := newTestEngine(t)
	run(e, receive(told{on: a, name: "early"}))
	run(e, receive(told{on: a, name: "create a", owners: controlledBy(rs)}))
	late := run(e, receive(told{on: rs, name: "create rs", owners: controlledBy(web)}, told{on: a, name: "patch"}))
	links := map[string]string{}
	for _, s := range flatten(late) {
		if s.Links().Len() == 1 && s.spanType() == attr.SpanTypeObject {
			link := s.Links().At(0)
			assert.Equal(t, link.TraceID().String(), text(s.Attributes(), attr.OwnTrace))
			links[s.Name()] = link.TraceID().String() + link.SpanID().String()
		}
	}
	own := func(r objectspan.Resource) string {
		trace := identity.TraceID(r.Object, noon)
		return trace.String() + identity.ObjectSpanID(trace, identity.ObjectID(r.Object)).String()
	}
	assert.Equal(t, map[string]string{"pods/a": own(a), "replicasets/rs": own(rs)}, links)
	for _, td := range []ptrace.Traces{
		run(e, receive(told{on: a, name: "again"})),
		run(e, receive(told{on: a, name: "next window", at: noon.Add(time.Hour)})),
	} {
		for _, s := range flatten(td) {
			assert.Zero(t, s.Links().Len(), s.Name())
		}
	}
}

// TestAnOwnerThatWasForgottenLeavesALinkToo: the object's span was sent already, and comes again for the link.
func TestAnOwnerThatWasForgottenLeavesALinkToo(t *testing.T) {
	rs, a := replicaSet("rs"), pod("a")
	e := newTestEngine(t, func(c *Config) { c.MaxObjects = 3 })
	run(e, receive(told{on: a, name: "create", owners: controlledBy(rs)}))
	for i := range 3 {
		run(e, receive(told{on: deployment(string(rune('a' + i))), name: "create", owners: "[]"}))
	}
	run(e, receive(told{on: a, name: "lost"}))
	found := 0
	for _, s := range flatten(run(e, receive(told{on: a, name: "patch", owners: controlledBy(rs)}))) {
		found += s.Links().Len()
	}
	assert.Equal(t, 1, found)
}
