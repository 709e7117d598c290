// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// thing is "Kind name" or "Kind name uid", in cluster prod and namespace default.
func thing(text string) objectspan.Resource {
	words := append(strings.Fields(text), "", "")
	r := objectspan.Resource{Kind: words[0], UID: words[2], APIVersion: "v1"}
	r.Object = identity.Object{Cluster: "prod", Namespace: "default", Name: words[1], Resource: kinds.GuessResource(words[0])}
	for _, t := range kinds.All() {
		if t.Kind == r.Kind && (t.Group == "" || t.Group == "apps") {
			r.Object.Resource, r.Object.Group, r.APIVersion = t.Resource, t.Group, identity.APIVersion(t.Group, "v1")
			if !t.Namespaced {
				r.Namespace = ""
			}
		}
	}
	return r
}

func owners(text string) string {
	o := thing(text)
	return identity.FormatOwners([]identity.OwnerReference{
		{APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name, UID: o.UID, Controller: true},
	})
}

// stored is a span as it lies in a storage: its trace and parent are objects.
type stored struct {
	on, root, parent string
	kind             string // of the span; "" for an object span
	name             string
	at               time.Duration // since noon
	owners           string
	seen             time.Duration
	attrs            map[string]any
}

func (s stored) traces() ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	r := thing(s.on)
	r.CopyTo(rs.Resource().Attributes())
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	_ = span.Attributes().FromRaw(s.attrs)
	root := r
	if s.root != "" {
		root = thing(s.root)
	}
	at := noon.Add(s.at)
	window := identity.DefaultWindow.Start(at)
	trace := identity.TraceID(root.Object, window)
	span.SetTraceID(trace)
	if s.kind == "" || s.kind == attr.SpanTypeObject {
		span.Attributes().PutStr(attr.SpanType, attr.SpanTypeObject)
		span.SetName(r.SpanName())
		span.SetSpanID(identity.ObjectSpanID(trace, identity.ObjectID(r.Object)))
		if s.parent != "" {
			span.SetParentSpanID(identity.ObjectSpanID(trace, identity.ObjectID(thing(s.parent).Object)))
		}
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(window))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(window.Add(time.Duration(identity.DefaultWindow))))
		if s.owners != "" {
			span.Attributes().PutStr(attr.Owners, s.owners)
			span.Attributes().PutStr(attr.OwnersSeen, noon.Add(s.seen).Format(time.RFC3339Nano))
		}
		return td
	}
	span.Attributes().PutStr(attr.SpanType, s.kind)
	span.SetName(s.name)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Millisecond)))
	own := identity.TraceID(r.Object, window) // a span's ID is of its object's own trace
	span.SetSpanID(identity.AuditSpanID(own, s.name+s.at.String(), identity.AuditComplete))
	span.SetParentSpanID(identity.ObjectSpanID(trace, identity.ObjectID(r.Object)))
	if s.owners != "" {
		span.Attributes().PutStr(attr.Owners, s.owners)
	}
	return td
}

func graphOf(spans ...stored) *Graph {
	g := NewGraph(Limits{})
	for _, s := range spans {
		g.Add(s.traces())
	}
	return g
}

// picture draws a graph: each life below its owner, with its entries and links.
func picture(g *Graph) string {
	var b strings.Builder
	var draw func(life *Life, indent string)
	draw = func(life *Life, indent string) {
		fmt.Fprintf(&b, "%s%s", indent, life.Object.SpanName())
		if life.UID != "" {
			fmt.Fprintf(&b, " %s", life.UID)
		}
		if len(life.Object.Lives) > 1 {
			fmt.Fprintf(&b, " (%d of %d)", life.Number, len(life.Object.Lives))
		}
		if life.OwnerLife == nil && !life.Owner.IsZero() {
			fmt.Fprintf(&b, " of %s", life.Owner.SpanName())
		}
		b.WriteString("\n")
		var entry func(e *Entry, indent string)
		entry = func(e *Entry, indent string) {
			fmt.Fprintf(&b, "%s%s %s\n", indent, e.Source, e.Span.Name())
			for _, child := range e.Children {
				entry(child, indent+"  ")
			}
		}
		for _, e := range life.Entries {
			entry(e, indent+"  ")
		}
		for _, l := range life.Links {
			fmt.Fprintf(&b, "%s  -> %s %s\n", indent, strings.TrimSpace(l.Class+" "+l.Role), l.Target.SpanName())
		}
		for _, owned := range life.Owned {
			draw(owned, indent+"  ")
		}
	}
	for _, o := range g.Objects() {
		for _, life := range o.Lives {
			if life.OwnerLife == nil {
				draw(life, "")
			}
		}
	}
	for _, o := range g.Objects() {
		for _, warning := range o.Warnings {
			fmt.Fprintf(&b, "warning of %s: %s\n", o.SpanName(), warning)
		}
	}
	for _, warning := range g.Warnings() {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	return b.String()
}

func trim(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], "\t"))
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, strings.Repeat("\t", indent))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\t\n") + "\n"
}
