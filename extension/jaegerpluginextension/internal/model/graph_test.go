// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

const (
	web = "Deployment web u-web"
	rs  = "ReplicaSet web-1 u-rs"
	pod = "Pod web-1-a u-pod"
)

func TestGraph(t *testing.T) {
	for name, tt := range map[string]struct {
		spans []stored
		want  string
	}{
		"a tree in one window": {
			[]stored{
				{on: web, owners: "[]"},
				{on: rs, root: web, parent: web, owners: owners(web)},
				{on: pod, root: web, parent: rs, owners: owners(rs)},
				{on: web, kind: "audit", name: "alice create", at: time.Second},
				{on: pod, root: web, kind: "event", name: "Scheduled", at: 3 * time.Second},
				{on: pod, root: web, kind: "audit", name: "scheduler create binding", at: 2 * time.Second},
			},
			`
			deployments/web u-web
			  audit alice create
			  replicasets/web-1 u-rs
			    pods/web-1-a u-pod
			      audit scheduler create binding
			      event Scheduled
			`,
		},
		"windows and a fragment are joined, copies in two traces are one": {
			[]stored{
				{on: pod, kind: "event", name: "Scheduled", at: time.Second}, // before its owner was known
				{on: pod},
				{on: pod, root: rs, parent: rs, owners: owners(rs), seen: time.Second},
				{on: pod, root: rs, kind: "event", name: "Scheduled", at: time.Second}, // delivered again
				{on: rs},
				{on: pod, root: rs, parent: rs, at: time.Hour, owners: owners(rs), seen: time.Second},
				{on: rs, at: time.Hour},
				{on: pod, root: rs, kind: "audit", name: "bob delete", at: time.Hour},
			},
			`
			replicasets/web-1 u-rs
			  pods/web-1-a u-pod
			    event Scheduled
			    audit bob delete
			`,
		},
		"what was told last of owners counts": {
			[]stored{
				{on: web}, {on: rs},
				{on: pod, root: web, parent: web, owners: owners(web), seen: 2 * time.Second},
				{on: pod, root: rs, parent: rs, at: time.Hour, owners: owners(rs), seen: time.Second},
			},
			`
			deployments/web u-web
			  pods/web-1-a u-pod
			replicasets/web-1 u-rs
			`,
		},
		"two lives of a name are told apart, with what each owned": {
			[]stored{
				{on: "Deployment web u1", owners: "[]"},
				{on: "Deployment web u1", kind: "watch", name: "created", at: time.Second},
				{on: "Deployment web", kind: "audit", name: "alice delete", at: 3 * time.Second},
				{on: "Deployment web u1", kind: "watch", name: "deleted", at: 4 * time.Second},
				{on: "Deployment web", kind: "audit", name: "alice create", at: 5 * time.Second, attrs: map[string]any{attr.AuditVerb: "create"}},
				{on: "Deployment web u2", kind: "watch", name: "created", at: 6 * time.Second},
				{on: "ReplicaSet one", root: web, parent: web, owners: owners("Deployment web u1")},
				{on: "ReplicaSet two", root: web, parent: web, owners: owners("Deployment web u2")},
			},
			`
			deployments/web u1 (1 of 2)
			  watch created
			  audit alice delete
			  watch deleted
			  replicasets/one
			deployments/web u2 (2 of 2)
			  audit alice create
			  watch created
			  replicasets/two
			`,
		},
		"an owner that is not there is known by name": {
			[]stored{{on: pod, root: rs, parent: rs, owners: owners(rs)}},
			"\npods/web-1-a u-pod of replicasets/web-1\n",
		},
		"the parent of the span counts where no owners are told": {
			[]stored{{on: rs}, {on: pod, root: rs, parent: rs}},
			"\nreplicasets/web-1 u-rs\n  pods/web-1-a u-pod\n",
		},
		"objects that own each other": {
			[]stored{
				{on: "Pod a", root: "Pod a", parent: "Pod b", owners: owners("Pod b")},
				{on: "Pod b", root: "Pod a", parent: "Pod a", owners: owners("Pod a")},
			},
			`
			pods/a
			  pods/b
			warning of pods/a: its owners are owned by itself: one of them is left out
			`,
		},
		"an object that owns itself": {
			[]stored{{on: "Pod a", parent: "Pod a", owners: owners("Pod a")}},
			"\npods/a\n",
		},
		"owners that cannot be read": {
			[]stored{{on: rs}, {on: pod, root: rs, parent: rs, owners: "?"}},
			"\nreplicasets/web-1 u-rs\n  pods/web-1-a u-pod\n",
		},
		"references": {
			[]stored{
				{on: web},
				linkSpanOf("HorizontalPodAutoscaler web", 0, "scales", "", web),
				linkSpanOf("HorizontalPodAutoscaler web", time.Hour, "scales", "", web),
				linkSpanOf("HorizontalPodAutoscaler web", time.Hour, "uses", "storage", "Secret s"),
			},
			`
			deployments/web u-web
			horizontalpodautoscalers/web
			  -> scales deployments/web
			  -> storage uses secrets/s
			`,
		},
		"an object of which only entries are stored": {
			[]stored{{on: pod, root: web, kind: "audit", name: "bob patch", at: time.Second, owners: owners(rs)}},
			"\npods/web-1-a u-pod of replicasets/web-1\n  audit bob patch\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := trim(tt.want)
			assert.Equal(t, want, picture(graphOf(tt.spans...)))
			for range 10 { // in another order, and some of them twice
				spans := append([]stored(nil), tt.spans...)
				spans = append(spans, spans[:len(spans)/2]...)
				rand.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
				require.Equal(t, want, picture(graphOf(spans...)))
			}
		})
	}
}

func linkSpanOf(on string, at time.Duration, role, class, target string) stored {
	r := thing(target)
	return stored{on: on, kind: attr.SpanTypeLink, name: role + target, at: at, attrs: map[string]any{
		"kelemetry.link.role": role, "kelemetry.link.class": class, "kelemetry.link.direction": "forward",
		"kelemetry.link.target.id":      identity.ObjectID(r.Object).String(),
		"kelemetry.link.target.cluster": r.Cluster, "kelemetry.link.target.group": r.Group, "kelemetry.link.target.resource": r.Object.Resource,
		"kelemetry.link.target.namespace": r.Namespace, "kelemetry.link.target.name": r.Name, "kelemetry.link.target.uid": r.UID,
	}}
}

// TestAFullerCopyCounts: a diff is joined to a request's span late, and a span that stands for many comes to stand for more.
func TestAFullerCopyCounts(t *testing.T) {
	bare := stored{on: pod, kind: "audit", name: "bob patch", at: time.Second}
	joined := bare.traces()
	joined.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Events().AppendEmpty().SetName(attr.EventDiff)
	for _, order := range [][2]ptrace.Traces{{bare.traces(), joined}, {joined, bare.traces()}} {
		g := NewGraph(Limits{})
		g.Add(order[0])
		g.Add(order[1])
		o, ok := g.Object(identity.ObjectID(thing(pod).Object))
		require.True(t, ok)
		require.Len(t, o.Lives[0].Entries, 1)
		assert.Len(t, o.Lives[0].Entries[0].Events(attr.EventDiff), 1)
	}
}

// TestForeignSpans are put below their parents, spans of the graph included, and by their resource where these are missing.
func TestForeignSpans(t *testing.T) {
	patch := stored{on: pod, kind: "audit", name: "bob patch", at: time.Second}
	base := patch.traces()
	audit := base.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	require.NoError(t, rs.Resource().Attributes().FromRaw(map[string]any{
		"service.name": "controller", "k8s.cluster.name": "prod", "k8s.object.kind": "Pod", "k8s.object.name": "web-1-a", "k8s.namespace.name": "default",
	}))
	add := func(name string, id, parent byte) ptrace.Span {
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName(name)
		span.SetTraceID(audit.TraceID())
		span.SetSpanID(pcommon.SpanID{id})
		span.SetParentSpanID(pcommon.SpanID{parent})
		span.SetStartTimestamp(audit.StartTimestamp() + pcommon.Timestamp(id))
		return span
	}
	add("reconcile", 1, 0).SetParentSpanID(audit.ParentSpanID())
	add("call", 2, 1)
	add("under the request", 3, 0).SetParentSpanID(audit.SpanID())
	add("lost parent", 4, 99)
	add("chicken", 5, 6)
	add("egg", 6, 5)
	add("own parent", 7, 7)

	nobody := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	nobody.SetSpanID(pcommon.SpanID{8})

	g := NewGraph(Limits{})
	g.Add(td)
	g.Add(base)
	g.Add(stored{on: pod}.traces())
	want := trim(`
		pods/web-1-a u-pod
		  audit bob patch
		    foreign under the request
		  foreign reconcile
		    foreign call
		  foreign lost parent
		  foreign egg
		    foreign chicken
		  foreign own parent
		warning: 1 span was left out, because nothing says which object they are about
		`)
	assert.Equal(t, want, picture(g))
	g.Add(stored{on: pod}.traces())
	assert.Equal(t, want, picture(g), "asked again after more was added")
}

// TestAttachedSpansGoWhereTheyAreToldTo whatever they say of themselves.
func TestAttachedSpansGoWhereTheyAreToldTo(t *testing.T) {
	patch := stored{on: pod, kind: "audit", name: "bob patch", at: time.Second}.traces()
	audit := patch.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	other := func(id, parent byte) ptrace.Traces {
		td := stored{on: web, kind: attr.SpanTypeObject, name: "x"}.traces()
		span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		span.SetName(fmt.Sprintf("span %d", id))
		span.SetTraceID(pcommon.TraceID{9})
		span.SetSpanID(pcommon.SpanID{id})
		span.SetParentSpanID(pcommon.SpanID{parent})
		return td
	}
	g := NewGraph(Limits{})
	g.Add(patch)
	to := Anchor{Object: identity.ObjectID(thing(pod).Object), Span: audit.SpanID()}
	g.Attach(other(2, 1), to)
	g.Attach(other(1, 0), to)
	g.Attach(other(3, 77), Anchor{Object: to.Object})
	assert.Equal(t, trim(`
		pods/web-1-a u-pod
		  foreign span 3
		  audit bob patch
		    foreign span 1
		      foreign span 2
		`), picture(g))
}

func TestLimit(t *testing.T) {
	g := NewGraph(Limits{MaxSpans: 2})
	for i := range 5 {
		g.Add(stored{on: pod, kind: "audit", name: "patch", at: time.Duration(i)}.traces())
	}
	g.Add(stored{on: pod, kind: "audit", name: "patch", at: 0}.traces()) // known
	g.Warn("the storage did not answer")
	g.Warn("the storage did not answer")
	assert.Equal(t, 2, g.Len())
	assert.Equal(t, []string{
		"the storage did not answer",
		"3 spans were left out, because a view has at most 2: ask for a shorter time range",
	}, g.Warnings())
}

func TestParseID(t *testing.T) {
	id, ok := ParseID("e726c07781d009")
	assert.True(t, ok)
	assert.Equal(t, "e726c07781d009", id.String())
	for _, text := range []string{"", "e726c07781d0", "e726c07781d00", "e726c07781d0099", "g726c07781d009", "e726c07781d00911"} {
		_, ok := ParseID(text)
		assert.False(t, ok, text)
	}
}
