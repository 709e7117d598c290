// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package storagetest // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"

import (
	"crypto/sha256"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Object is one that spans are made of, as k8slink stores them.
type Object struct {
	identity.Object
	UID string
	// Owner is nil for a root.
	Owner *Object
}

// ID is the object's.
func (o *Object) ID() identity.ID { return identity.ObjectID(o.Object) }

func (o *Object) root() *Object {
	for o.Owner != nil {
		o = o.Owner
	}
	return o
}

func (o *Object) traceAt(at time.Time) pcommon.TraceID {
	return identity.TraceID(o.root().Object, identity.DefaultWindow.Start(at))
}

func (o *Object) resource() objectspan.Resource {
	t, _ := kinds.ByResource(o.Group, o.Resource)
	return objectspan.Resource{Object: o.Object, Kind: t.Kind, APIVersion: identity.APIVersion(o.Group, "v1"), UID: o.UID}
}

// Exist stores the object's span, and those of its owners, in the window of that time.
func (s *Store) Exist(at time.Time, o *Object) {
	for ; o != nil; o = o.Owner {
		span := s.span(at, o)
		span.SetName(o.SpanName())
		span.SetSpanID(identity.ObjectSpanID(span.TraceID(), o.ID()))
		if o.Owner != nil {
			span.SetParentSpanID(identity.ObjectSpanID(span.TraceID(), o.Owner.ID()))
			t, _ := kinds.ByResource(o.Owner.Group, o.Owner.Resource)
			span.Attributes().PutStr(attr.Owners, identity.FormatOwners([]identity.OwnerReference{{
				APIVersion: identity.APIVersion(o.Owner.Group, "v1"), Kind: t.Kind, Name: o.Owner.Name, UID: o.Owner.UID, Controller: true,
			}}))
		}
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(identity.DefaultWindow.Start(at)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(identity.DefaultWindow.End(at)))
		span.Attributes().PutStr(attr.SpanType, attr.SpanTypeObject)
		s.add(span, o)
	}
}

// Happen stores a span of something that happened to the object, and the object's own.
func (s *Store) Happen(at time.Time, o *Object, spanType, name string, attributes map[string]any) {
	s.Exist(at, o)
	span := s.span(at, o)
	span.SetName(name)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d", o.ID(), spanType, name, at.UnixNano()))
	span.SetSpanID(pcommon.SpanID(sum[:8]))
	span.SetParentSpanID(identity.ObjectSpanID(span.TraceID(), o.ID()))
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(5 * time.Millisecond)))
	if err := span.Attributes().FromRaw(attributes); err != nil {
		panic(err) // the test is wrong
	}
	span.Attributes().PutStr(attr.SpanType, spanType)
	s.add(span, o)
}

// Refer stores a link from one object to another, in that time's window.
func (s *Store) Refer(at time.Time, o *Object, role string, target *Object) {
	s.Exist(at, o)
	span := s.span(at, o)
	span.SetName(role)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", span.TraceID(), o.ID(), target.ID()))
	span.SetSpanID(pcommon.SpanID(sum[:8]))
	span.SetParentSpanID(identity.ObjectSpanID(span.TraceID(), o.ID()))
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(identity.DefaultWindow.Start(at)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(identity.DefaultWindow.End(at)))
	for key, value := range map[string]string{
		attr.SpanType: attr.SpanTypeLink, "kelemetry.link.role": role, "kelemetry.link.direction": "forward",
		"kelemetry.link.target.id": target.ID().String(), "kelemetry.link.target.cluster": target.Cluster, "kelemetry.link.target.group": target.Group,
		"kelemetry.link.target.resource": target.Resource, "kelemetry.link.target.namespace": target.Namespace, "kelemetry.link.target.name": target.Name,
	} {
		span.Attributes().PutStr(key, value)
	}
	s.add(span, o)
}

func (s *Store) span(at time.Time, o *Object) ptrace.Span {
	span := ptrace.NewSpan()
	span.SetTraceID(o.traceAt(at))
	return span
}

// add stores a span unless it is stored already.
func (s *Store) add(span ptrace.Span, o *Object) {
	s.mu.Lock()
	if td, ok := s.traces[span.TraceID()]; ok {
		for _, resource := range td.ResourceSpans().All() {
			if resource.ScopeSpans().At(0).Spans().At(0).SpanID() == span.SpanID() {
				s.mu.Unlock()
				return
			}
		}
	}
	s.mu.Unlock()
	td := ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	o.resource().CopyTo(resource.Resource().Attributes())
	span.CopyTo(resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	s.Add(td)
}
