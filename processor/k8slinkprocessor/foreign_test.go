// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

var foreignTrace = pcommon.TraceID{1}

// foreignSpan is a span of some other source, which names its object on the span. No object, no attributes.
type foreignSpan struct {
	name       string
	id, parent byte
	on         *objectspan.Resource
	at         time.Time
}

func foreignBatch(spans ...foreignSpan) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(attr.ServiceName, "my-operator")
	rs.Resource().Attributes().PutStr(attr.ClusterName, "prod")
	slice := rs.ScopeSpans().AppendEmpty().Spans()
	for _, s := range spans {
		span := slice.AppendEmpty()
		span.SetTraceID(foreignTrace)
		span.SetSpanID(pcommon.SpanID{s.id})
		if s.parent != 0 {
			span.SetParentSpanID(pcommon.SpanID{s.parent})
		}
		if s.at.IsZero() {
			s.at = noon
		}
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(s.at))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(s.at))
		span.SetName(s.name)
		if s.on != nil {
			span.Attributes().PutStr(attr.ObjectKind, s.on.Kind)
			span.Attributes().PutStr(attr.ObjectAPIVersion, s.on.APIVersion)
			span.Attributes().PutStr(attr.ObjectName, s.on.Name)
			span.Attributes().PutStr(attr.Namespace, s.on.Namespace)
		}
	}
	return td
}

func link(id byte) string { return fmt.Sprintf(" -> %s/%s", foreignTrace, pcommon.SpanID{id}) }

func TestForeignSpans(t *testing.T) {
	a, rs := pod("a"), replicaSet("rs")
	known := receive(told{on: a, name: "create a", owners: controlledBy(rs)})

	for _, tt := range []struct {
		name  string
		batch ptrace.Traces
		want  string
	}{
		{
			name:  "without a parent: under the object, linked to where it was",
			batch: foreignBatch(foreignSpan{name: "reconcile", id: 1, on: &a}),
			want: `
				replicasets/rs
				  pods/a
				    create a
				    reconcile` + link(1),
		},
		{
			name: "a parent that comes into the same trace stays the parent, in any order",
			batch: foreignBatch(
				foreignSpan{name: "inner", id: 2, parent: 1, on: &a},
				foreignSpan{name: "outer", id: 1, on: &rs},
			),
			want: `
				replicasets/rs
				  outer` + link(1) + `
				    inner` + link(2) + `
				  pods/a
				    create a`,
		},
		{
			name: "a parent on no object stays behind, linked",
			batch: foreignBatch(
				foreignSpan{name: "request", id: 1},
				foreignSpan{name: "reconcile", id: 2, parent: 1, on: &a},
				foreignSpan{name: "log", id: 3, parent: 2},
			),
			want: `
				(lost) log
				request

				replicasets/rs
				  pods/a
				    create a
				    reconcile` + link(2) + link(1),
		},
		{
			name: "a parent in another window is another trace's",
			batch: foreignBatch(
				foreignSpan{name: "outer", id: 1, on: &rs, at: noon.Add(-time.Second)},
				foreignSpan{name: "inner", id: 2, parent: 1, on: &a},
			),
			want: `
				replicasets/rs
				  pods/a
				    create a
				    inner` + link(2) + link(1) + `

				replicasets/rs 11:30
				  outer` + link(1),
		},
		{
			name: "a parent elsewhere is linked",
			batch: foreignBatch(
				foreignSpan{name: "inner", id: 2, parent: 9, on: &a},
			),
			want: `
				replicasets/rs
				  pods/a
				    create a
				    inner` + link(2) + link(9),
		},
		{
			name: "who is his own parent is under the object",
			batch: foreignBatch(
				foreignSpan{name: "odd", id: 2, parent: 2, on: &a},
			),
			want: `
				replicasets/rs
				  pods/a
				    create a
				    odd` + link(2) + link(2),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newTestEngine(t)
			before := run(e, clone(known))
			after := run(e, tt.batch)
			want := trimPicture(tt.want)
			assert.Equal(t, want, picture(before, after))

			// Once more through another, new one: nothing changes.
			again := newTestEngine(t)
			all := run(again, clone(before))
			assert.Equal(t, want, picture(all, run(again, clone(after))))
		})
	}
}

// TestForeignSpanWithComputedTraceKeepsItsParent: a source may compute Kelemetry's trace IDs itself.
func TestForeignSpanWithComputedTraceKeepsItsParent(t *testing.T) {
	a := pod("a")
	td := foreignBatch(foreignSpan{name: "inner", id: 2, parent: 1, on: &a})
	span := flatten(td)[0]
	span.SetTraceID(identity.TraceID(a.Object, window.Start(noon)))
	run(newTestEngine(t), td)
	assert.Equal(t, pcommon.SpanID{1}, span.ParentSpanID())
	assert.Zero(t, span.Links().Len())
}

// TestObjectSpanHasTheResourceOfItsObject, also when the only span on the object has another source's resource.
func TestObjectSpanHasTheResourceOfItsObject(t *testing.T) {
	a := pod("a")
	for name, td := range map[string]ptrace.Traces{
		"receiver":          receive(told{on: a, name: "create"}),
		"object on span":    foreignBatch(foreignSpan{name: "reconcile", id: 1, on: &a}),
		"object on foreign": onForeignResource(a),
	} {
		t.Run(name, func(t *testing.T) {
			run(newTestEngine(t), td)
			found := false
			for _, s := range flatten(td) {
				if s.spanType() != attr.SpanTypeObject {
					continue
				}
				found = true
				assert.Equal(t, identity.ObjectID(a.Object).String(), s.objectID())
				assert.Equal(t, "prod", text(s.resource, attr.ServiceName))
			}
			assert.True(t, found)
			if name == "receiver" {
				assert.Equal(t, 1, td.ResourceSpans().Len(), "the object span belongs to the resource that is there")
			}
		})
	}
}

func onForeignResource(r objectspan.Resource) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	r.CopyTo(rs.Resource().Attributes())
	rs.Resource().Attributes().PutStr(attr.ServiceName, "my-operator")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(foreignTrace)
	span.SetSpanID(pcommon.SpanID{1})
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(noon))
	return td
}

func TestClusterOfASpan(t *testing.T) {
	for _, tt := range []struct {
		name                                   string
		onSpan, onResource, def, service, want string
	}{
		{"the span's own", "s", "r", "d", "svc", "s"},
		{"else the resource's", "", "r", "d", "svc", "r"},
		{"else the configured one", "", "", "d", "svc", "d"},
		{"else the service", "", "", "", "svc", "svc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := pod("a")
			td := foreignBatch(foreignSpan{name: "reconcile", id: 1, on: &a})
			resource := td.ResourceSpans().At(0).Resource().Attributes()
			resource.PutStr(attr.ClusterName, tt.onResource)
			resource.PutStr(attr.ServiceName, tt.service)
			if tt.onSpan != "" {
				flatten(td)[0].Attributes().PutStr(attr.ClusterName, tt.onSpan)
			}
			run(newTestEngine(t, func(c *Config) { c.DefaultCluster = tt.def }), td)
			want := a.Object
			want.Cluster = tt.want
			assert.Equal(t, identity.TraceID(want, window.Start(noon)), flatten(td)[0].TraceID())
		})
	}
}

// TestUnrelatedSpansPassUntouched byte for byte.
func TestUnrelatedSpansPassUntouched(t *testing.T) {
	td := foreignBatch(foreignSpan{name: "request", id: 1}, foreignSpan{name: "query", id: 2, parent: 1})
	td.ResourceSpans().AppendEmpty() // empty ones are not ours to tidy up either
	td.ResourceSpans().At(0).ScopeSpans().AppendEmpty()
	want, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	b := attempt(newTestEngine(t), td)
	got, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.EqualValues(t, 2, b.stats.untouched)
}
