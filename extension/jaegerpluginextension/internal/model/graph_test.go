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

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"
	"github.com/kelemetry/kelemetry/internal/attr"
)

const (
	web = "Deployment web u-web"
	rs  = "ReplicaSet web-1 u-rs"
	pod = "Pod web-1-a u-pod"
)

func TestGraph(t *testing.T) {
	for name, tt := range map[string]struct {
		spans []storedtest.Span
		want  string
	}{
		"a tree in one window": {
			[]storedtest.Span{
				{On: web, Owner: "none"},
				{On: rs, Root: web, Parent: web, Owner: web},
				{On: pod, Root: web, Parent: rs, Owner: rs},
				{On: web, Kind: "audit", Name: "alice create", At: time.Second},
				{On: pod, Root: web, Kind: "event", Name: "Scheduled", At: 3 * time.Second},
				{On: pod, Root: web, Kind: "audit", Name: "scheduler create binding", At: 2 * time.Second},
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
			[]storedtest.Span{
				{On: pod, Kind: "event", Name: "Scheduled", At: time.Second}, // before its owner was known
				{On: pod},
				{On: pod, Root: rs, Parent: rs, Owner: rs, Seen: time.Second},
				{On: pod, Root: rs, Kind: "event", Name: "Scheduled", At: time.Second}, // delivered again
				{On: rs},
				{On: pod, Root: rs, Parent: rs, At: time.Hour, Owner: rs, Seen: time.Second},
				{On: rs, At: time.Hour},
				{On: pod, Root: rs, Kind: "audit", Name: "bob delete", At: time.Hour},
			},
			`
			replicasets/web-1 u-rs
			  pods/web-1-a u-pod
			    event Scheduled
			    audit bob delete
			`,
		},
		"what was told last of owners counts": {
			[]storedtest.Span{
				{On: web},
				{On: rs},
				{On: pod, Root: web, Parent: web, Owner: web, Seen: 2 * time.Second},
				{On: pod, Root: rs, Parent: rs, At: time.Hour, Owner: rs, Seen: time.Second},
			},
			`
			deployments/web u-web
			  pods/web-1-a u-pod
			replicasets/web-1 u-rs
			`,
		},
		"two lives of a name are told apart, with what each owned": {
			[]storedtest.Span{
				{On: "Deployment web u1", Owner: "none"},
				{On: "Deployment web u1", Kind: "watch", Name: "created", At: time.Second},
				{On: "Deployment web", Kind: "audit", Name: "alice delete", At: 3 * time.Second},
				{On: "Deployment web u1", Kind: "watch", Name: "deleted", At: 4 * time.Second},
				{On: "Deployment web", Kind: "audit", Name: "alice create", At: 5 * time.Second, Attributes: map[string]any{attr.AuditVerb: "create"}},
				{On: "Deployment web u2", Kind: "watch", Name: "created", At: 6 * time.Second},
				{On: "ReplicaSet one", Root: web, Parent: web, Owner: "Deployment web u1"},
				{On: "ReplicaSet two", Root: web, Parent: web, Owner: "Deployment web u2"},
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
			[]storedtest.Span{{On: pod, Root: rs, Parent: rs, Owner: rs}},
			"\npods/web-1-a u-pod of replicasets/web-1\n",
		},
		"the parent of the span counts where no owners are told": {
			[]storedtest.Span{{On: rs}, {On: pod, Root: rs, Parent: rs}},
			"\nreplicasets/web-1 u-rs\n  pods/web-1-a u-pod\n",
		},
		"objects that own each other": {
			[]storedtest.Span{
				{On: "Pod a", Root: "Pod a", Parent: "Pod b", Owner: "Pod b"},
				{On: "Pod b", Root: "Pod a", Parent: "Pod a", Owner: "Pod a"},
			},
			`
			pods/a
			  pods/b
			warning of pods/a: its owners are owned by itself: one of them is left out
			`,
		},
		"an object that owns itself": {
			[]storedtest.Span{{On: "Pod a", Parent: "Pod a", Owner: "Pod a"}},
			"\npods/a\n",
		},
		"owners that cannot be read": {
			[]storedtest.Span{{On: rs}, {On: pod, Root: rs, Parent: rs, Attributes: map[string]any{attr.Owners: "?"}}},
			"\nreplicasets/web-1 u-rs\n  pods/web-1-a u-pod\n",
		},
		"references": {
			[]storedtest.Span{
				{On: web},
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
			[]storedtest.Span{{On: pod, Root: web, Kind: "audit", Name: "bob patch", At: time.Second, Owner: rs}},
			"\npods/web-1-a u-pod of replicasets/web-1\n  audit bob patch\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := trim(tt.want)
			assert.Equal(t, want, picture(graphOf(tt.spans...)))
			for range 10 { // in another order, and some of them twice
				spans := append([]storedtest.Span(nil), tt.spans...)
				spans = append(spans, spans[:len(spans)/2]...)
				rand.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
				require.Equal(t, want, picture(graphOf(spans...)))
			}
		})
	}
}

func linkSpanOf(on string, at time.Duration, role, class, target string) storedtest.Span {
	return storedtest.Span{On: on, Kind: attr.SpanTypeLink, Name: role, At: at, Target: target, Attributes: map[string]any{
		attr.LinkRole: role, attr.LinkClass: class, attr.LinkDirection: "forward",
	}}
}

// TestAFullerCopyCounts: a diff is joined to a request's span late, and a span that stands for many comes to stand for more.
func TestAFullerCopyCounts(t *testing.T) {
	bare := storedtest.Span{On: pod, Kind: "audit", Name: "bob patch", At: time.Second}
	joined := bare.Traces()
	joined.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Events().AppendEmpty().SetName(attr.EventDiff)
	for _, order := range [][2]ptrace.Traces{{bare.Traces(), joined}, {joined, bare.Traces()}} {
		g := NewGraph(Limits{})
		g.Add(order[0])
		g.Add(order[1])
		o, ok := g.Object(storedtest.ID(pod))
		require.True(t, ok)
		require.Len(t, o.Lives[0].Entries, 1)
		assert.Len(t, o.Lives[0].Entries[0].Events(attr.EventDiff), 1)
	}
}

// TestForeignSpans are put below their parents, spans of the graph included, and by their resource where these are missing.
func TestForeignSpans(t *testing.T) {
	patch := storedtest.Span{On: pod, Kind: "audit", Name: "bob patch", At: time.Second}
	base := patch.Traces()
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
	g.Add(storedtest.Span{On: pod}.Traces())
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
	g.Add(storedtest.Span{On: pod}.Traces())
	assert.Equal(t, want, picture(g), "asked again after more was added")
}

// TestAttachedSpansGoWhereTheyAreToldTo whatever they say of themselves.
func TestAttachedSpansGoWhereTheyAreToldTo(t *testing.T) {
	patch := storedtest.Span{On: pod, Kind: "audit", Name: "bob patch", At: time.Second}.Traces()
	audit := patch.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	other := func(id, parent byte) ptrace.Traces {
		td := storedtest.Span{On: web}.Traces()
		span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		span.SetName(fmt.Sprintf("span %d", id))
		span.SetTraceID(pcommon.TraceID{9})
		span.SetSpanID(pcommon.SpanID{id})
		span.SetParentSpanID(pcommon.SpanID{parent})
		return td
	}
	g := NewGraph(Limits{})
	g.Add(patch)
	to := Anchor{Object: storedtest.ID(pod), Span: audit.SpanID()}
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
		g.Add(storedtest.Span{On: pod, Kind: "audit", Name: "patch", At: time.Duration(i)}.Traces())
	}
	g.Add(storedtest.Span{On: pod, Kind: "audit", Name: "patch", At: 0}.Traces()) // known
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

// TestEventsTellTheirNanosecondByTheirName where they tell whole seconds only.
func TestEventsTellTheirNanosecondByTheirName(t *testing.T) {
	at := pcommon.Timestamp(storedtest.Noon.UnixNano())
	name := func(n pcommon.Timestamp) string { return fmt.Sprintf("web.%x", uint64(n)) }
	for _, tt := range []struct {
		name       string
		kind       string
		count      int
		told, want time.Duration
	}{
		{name(at + 5), "event", 1, 0, 5},
		{name(at + 5), "event", 2, 0, 0},                     // of a later occurrence
		{name(at + 5), "watch", 1, 0, 0},                     // not an Event
		{name(at + 5), "event", 1, 3, 3},                     // exact as it is
		{name(at + 5), "event", 1, time.Second, time.Second}, // of another second
		{"web", "event", 1, 0, 0},
		{"", "event", 1, 0, 0},
		{"web.ffffffffffffffffffff", "event", 1, 0, 0},
	} {
		g := graphOf(storedtest.Span{On: pod, Kind: tt.kind, Name: "x", At: tt.told, Attributes: map[string]any{
			attr.EventName: tt.name, attr.EventCount: tt.count,
		}})
		o, ok := g.Object(storedtest.ID(pod))
		require.True(t, ok)
		assert.Equal(t, at+pcommon.Timestamp(tt.want), o.Lives[0].Entries[0].Start, "%+v", tt)
	}
}
