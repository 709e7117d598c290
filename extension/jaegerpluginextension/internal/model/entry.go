// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"bytes"
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// Source is where an entry comes from.
type Source string

// The sources. Foreign is every span that is not of Kelemetry's own receivers.
const (
	Audit   Source = attr.SpanTypeAudit
	Event   Source = attr.SpanTypeEvent
	Watch   Source = attr.SpanTypeWatch
	Foreign Source = "foreign"
)

// Entry is one thing that happened to an object.
type Entry struct {
	Source Source
	// Span is the stored span. It must not be changed.
	Span ptrace.Span
	// Resource holds the attributes of the span's resource, which is the object's unless the source is foreign.
	Resource pcommon.Map
	// Start is not after End.
	Start, End pcommon.Timestamp
	// UID of the life that the entry names, and Version the resourceVersion after it; empty where it does not tell.
	UID, Version string
	// Children are foreign spans below this one, in order of time.
	Children []*Entry

	parent   *Entry // of foreign entries
	resource *resource
	owners   string
	anchor   *Anchor
}

// Text returns an attribute of the span as text, "" if there is none.
func (e *Entry) Text(key string) string {
	if v, ok := e.Span.Attributes().Get(key); ok {
		return v.AsString()
	}
	return ""
}

// Is is true if the attribute is there and true.
func (e *Entry) Is(key string) bool {
	v, ok := e.Span.Attributes().Get(key)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}

// Int returns a whole number, 0 if there is none.
func (e *Entry) Int(key string) int64 {
	if v, ok := e.Span.Attributes().Get(key); ok && v.Type() == pcommon.ValueTypeInt {
		return v.Int()
	}
	return 0
}

// Events returns the span events of that name.
func (e *Entry) Events(name string) (found []ptrace.SpanEvent) {
	for _, event := range e.Span.Events().All() {
		if event.Name() == name {
			found = append(found, event)
		}
	}
	return found
}

// Failed is true of what ended in an error.
func (e *Entry) Failed() bool { return e.Span.Status().Code() == ptrace.StatusCodeError }

// compareEntries is a total order over the entries of a graph: of what happened at the same time, the lower
// resourceVersion comes first, and the cause before what was observed of it.
func compareEntries(a, b *Entry) int {
	return cmp.Or(
		cmp.Compare(a.Start, b.Start),
		compareVersions(a.Version, b.Version),
		cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.End, b.End),
		compareIDs(a.Span.SpanID(), b.Span.SpanID()),
		slices.Compare(a.resource.id[:], b.resource.id[:]),
	)
}

func compareIDs(a, b pcommon.SpanID) int { return bytes.Compare(a[:], b[:]) }

// compareVersions compares resourceVersions as numbers, which Kubernetes allows. Unknown ones come last: they are equal
// to each other only.
func compareVersions(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
