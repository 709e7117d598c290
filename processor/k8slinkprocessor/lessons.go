// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// lessons reads owner references from spans.
type lessons struct {
	*readings
	malformed int64
}

// readings remembers what texts of owner references say, because siblings carry the same text, and again and again. It is safe for
// concurrent use. A text has one place, which the last one that belongs there takes.
type readings struct {
	several hierarchy.Several
	seed    maphash.Seed
	places  []atomic.Pointer[reading]
}

type reading struct {
	text   string
	owners hierarchy.Owners
}

// maxReading keeps texts out that are longer than those of real objects.
const maxReading = 1024

// newReadings has places for the owners of so many objects, if some of them share one.
func newReadings(several hierarchy.Several, objects int) *readings {
	return &readings{several: several, seed: maphash.MakeSeed(), places: make([]atomic.Pointer[reading], objects/4+1)}
}

// parse returns false if the text cannot be read.
func (r *readings) parse(text string) (hierarchy.Owners, bool) {
	place := &r.places[maphash.String(r.seed, text)%uint64(len(r.places))]
	if known := place.Load(); known != nil && known.text == text {
		return known.owners, true
	}
	owners, err := hierarchy.ParseOwners(text, r.several)
	if err != nil {
		return hierarchy.Owners{}, false
	}
	if len(text) <= maxReading {
		place.Store(&reading{strings.Clone(text), owners}) // so that no batch is kept alive by it
	}
	return owners, true
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
	owners, ok := l.parse(v.AsString())
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
