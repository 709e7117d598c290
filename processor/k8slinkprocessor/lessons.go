// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// lessons reads owner references from spans. Siblings carry the same text, so each text is parsed once in a batch.
type lessons struct {
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
		owners, _ = hierarchy.ParseOwners(text)
		l.known[text] = owners
	}
	return owners, owners != hierarchy.Owners{}
}

func isDryRun(span ptrace.Span) bool {
	v, ok := span.Attributes().Get(attr.AuditDryRun)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}
