// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package storedtest makes spans as they lie in a storage, for tests: from a few words each, or from arbitrary bytes.
package storedtest // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Noon is when everything begins.
var Noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// Foreign is the kind of spans of other sources.
const Foreign = "foreign"

// Span is a span as it lies in a storage. Objects are named as Thing reads them.
type Span struct {
	// On is the object it is on, Root that whose trace it is in, On itself if empty.
	On   string `yaml:"on"`
	Root string `yaml:"root"`
	// Parent is the object whose span is the parent, for object spans.
	Parent string `yaml:"parent"`
	// Kind is audit, event, watch, link or foreign. Empty for an object span.
	Kind string `yaml:"kind"`
	Name string `yaml:"name"`
	// At is when it starts, from Noon; Long how long it lasts, a millisecond if 0.
	At   time.Duration `yaml:"at"`
	Long time.Duration `yaml:"long"`
	// Owner is what is told of owners: an object, or "none". Seen is when that was told, from Noon, for object spans.
	Owner string        `yaml:"owner"`
	Seen  time.Duration `yaml:"seen"`
	// Target is what a link leads to.
	Target string `yaml:"target"`
	// Version is the resourceVersion after it.
	Version string `yaml:"version"`
	// Error is the message of a failure.
	Error string `yaml:"error"`
	// ID, and Below for the parent's, are of foreign spans. Service is who made them.
	ID      byte   `yaml:"id"`
	Below   byte   `yaml:"below"`
	Service string `yaml:"service"`

	Attributes map[string]any `yaml:"attributes"`
	// Diff has the changes by path, Snapshot the object, Message what an Event says.
	Diff     map[string]any `yaml:"diff"`
	Snapshot string         `yaml:"snapshot"`
	Message  string         `yaml:"message"`
}

// Thing reads "Kind name", "Kind namespace/name" and either with a UID, and with "@cluster", behind it. The namespace is
// "default" and the cluster "prod" unless said.
func Thing(text string) objectspan.Resource {
	r := objectspan.Resource{APIVersion: "v1"}
	r.Object = identity.Object{Cluster: "prod", Namespace: "default"}
	for i, word := range strings.Fields(text) {
		cluster, isCluster := strings.CutPrefix(word, "@")
		switch {
		case isCluster:
			r.Cluster = cluster
		case i == 0:
			r.Kind = word
		case i == 1:
			r.Name = word
			if namespace, name, ok := strings.Cut(word, "/"); ok {
				r.Namespace, r.Name = namespace, name
			}
		default:
			r.UID = word
		}
	}
	r.Object.Resource = kinds.GuessResource(r.Kind)
	for _, group := range []string{"", "apps", "batch", "autoscaling"} {
		if t, ok := kinds.ByKind(group, r.Kind); ok {
			r.Object.Resource, r.Object.Group, r.APIVersion = t.Resource, t.Group, identity.APIVersion(t.Group, "v1")
			if !t.Namespaced {
				r.Namespace = ""
			}
			break
		}
	}
	return r
}

// ID is the object id of a thing.
func ID(text string) identity.ID { return identity.ObjectID(Thing(text).Object) }

// Owners is the attribute that tells of one owner, or of none.
func Owners(owner string) string {
	if owner == "none" {
		return identity.FormatOwners(nil)
	}
	o := Thing(owner)
	return identity.FormatOwners([]identity.OwnerReference{
		{APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name, UID: o.UID, Controller: true},
	})
}

// Traces makes the span.
func (s Span) Traces() ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	r := Thing(s.On)
	r.CopyTo(rs.Resource().Attributes())
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	root := r
	if s.Root != "" {
		root = Thing(s.Root)
	}
	at := Noon.Add(s.At)
	window := identity.DefaultWindow.Start(at)
	trace := identity.TraceID(root.Object, window)
	span.SetTraceID(trace)
	span.SetKind(ptrace.SpanKindInternal)
	fill(span.Attributes(), s.Attributes)
	if s.Kind == "" {
		s.asObject(span, r, window)
		return td
	}
	if s.Kind == Foreign {
		rs.Resource().Attributes().PutStr(attr.ServiceName, s.Service)
	} else {
		span.Attributes().PutStr(attr.SpanType, s.Kind)
	}
	span.SetName(s.Name)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(max(s.Long, time.Millisecond))))
	own := identity.TraceID(r.Object, window) // a span's ID is of its object's own trace
	span.SetSpanID(identity.AuditSpanID(own, s.Name+s.Target+s.At.String(), identity.AuditComplete))
	span.SetParentSpanID(identity.ObjectSpanID(trace, identity.ObjectID(r.Object)))
	if s.ID != 0 {
		span.SetSpanID(pcommon.SpanID{s.ID})
	}
	if s.Below != 0 {
		span.SetParentSpanID(pcommon.SpanID{s.Below})
	}
	s.describe(span)
	return td
}

func (s Span) asObject(span ptrace.Span, r objectspan.Resource, window time.Time) {
	span.Attributes().PutStr(attr.SpanType, attr.SpanTypeObject)
	span.SetName(r.SpanName())
	span.SetSpanID(identity.ObjectSpanID(span.TraceID(), identity.ObjectID(r.Object)))
	if s.Parent != "" {
		span.SetParentSpanID(identity.ObjectSpanID(span.TraceID(), ID(s.Parent)))
	}
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(window))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(identity.DefaultWindow.End(window)))
	if s.Owner != "" {
		span.Attributes().PutStr(attr.Owners, Owners(s.Owner))
		span.Attributes().PutStr(attr.OwnersSeen, Noon.Add(s.Seen).Format(time.RFC3339Nano))
	}
}

func (s Span) describe(span ptrace.Span) {
	put := func(key, value string) {
		if value != "" {
			span.Attributes().PutStr(key, value)
		}
	}
	put(attr.ObjectResourceVersion, s.Version)
	if s.Owner != "" {
		put(attr.Owners, Owners(s.Owner))
	}
	if s.Error != "" {
		span.Status().SetCode(ptrace.StatusCodeError)
		span.Status().SetMessage(s.Error)
	}
	if s.Target != "" {
		r := Thing(s.Target)
		put(attr.LinkTargetID, identity.ObjectID(r.Object).String())
		put(attr.LinkTargetCluster, r.Cluster)
		put(attr.LinkTargetGroup, r.Group)
		put(attr.LinkTargetResource, r.Object.Resource)
		put(attr.LinkTargetKind, r.Kind)
		put(attr.LinkTargetNamespace, r.Namespace)
		put(attr.LinkTargetName, r.Name)
		put(attr.LinkTargetUID, r.UID)
	}
	event := func(name string, attrs map[string]any) {
		e := span.Events().AppendEmpty()
		e.SetName(name)
		e.SetTimestamp(span.EndTimestamp())
		fill(e.Attributes(), attrs)
	}
	if s.Diff != nil {
		event(attr.EventDiff, s.Diff)
	}
	if s.Snapshot != "" {
		event(attr.EventSnapshot, map[string]any{attr.SnapshotObject: s.Snapshot})
	}
	if s.Message != "" {
		event(attr.EventMessage, map[string]any{attr.MessageText: s.Message})
	}
}

// fill puts attributes in a fixed order.
func fill(attrs pcommon.Map, raw map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		_ = attrs.PutEmpty(key).FromRaw(raw[key]) // what a test writes has a type
	}
}
