// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// lessons reads owner references from spans. Siblings carry the same text, so each text is parsed once in a batch.
type lessons struct {
	several   hierarchy.Several
	known     map[string]hierarchy.Owners
	malformed int64
}

// read teaches the node what the span tells of its owners, if it does. A dry run tells of what never was.
func (l *lessons) read(node *hierarchy.Node, span ptrace.Span, kind memberKind) (taught bool) {
	v, ok := span.Attributes().Get(attr.Owners)
	if !ok || isDryRun(span) {
		return false
	}
	at := span.StartTimestamp()
	if kind == object {
		if at, ok = toldAt(span); !ok {
			return false
		}
	}
	owners, ok := l.parse(v)
	if !ok {
		l.malformed++
		return false
	}
	node.Teach(owners, at)
	return true
}

// toldAt is when the owners on an object span were told, if that was about this very life of the object. So an object
// span repeats a lesson but never makes a new one.
func toldAt(span ptrace.Span) (pcommon.Timestamp, bool) {
	v, ok := span.Attributes().Get(attr.OwnersSeen)
	if !ok {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339Nano, v.Str())
	return timestampOf(t), err == nil
}

func (l *lessons) parse(v pcommon.Value) (owners hierarchy.Owners, ok bool) {
	text := v.AsString()
	owners, seen := l.known[text]
	if !seen {
		if l.known == nil {
			l.known = make(map[string]hierarchy.Owners)
		}
		owners, _ = hierarchy.ParseOwners(text, l.several)
		l.known[text] = owners
	}
	return owners, owners != hierarchy.Owners{}
}

// tellsTheEnd is true of a span after which the object is gone, or only waits to be: one of a delete that succeeded, or of a
// watch that saw it go. Names are looked at first, because they are at hand.
func tellsTheEnd(span ptrace.Span) bool {
	attrs := span.Attributes()
	switch {
	case span.Name() == "deleted":
		return text(attrs, attr.SpanType) == attr.SpanTypeWatch
	case strings.HasSuffix(span.Name(), " delete"):
		return text(attrs, attr.AuditVerb) == "delete" && text(attrs, attr.AuditSubresource) == "" &&
			span.Status().Code() != ptrace.StatusCodeError && !isDryRun(span)
	default:
		return false
	}
}

func isDryRun(span ptrace.Span) bool {
	v, ok := span.Attributes().Get(attr.AuditDryRun)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}
