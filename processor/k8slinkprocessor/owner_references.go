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

// ownerReader reads owner references from spans.
type ownerReader struct {
	*ownerCache
	malformed int64
}

// ownerCache remembers texts of owner references as they were parsed, because siblings carry the same text, and again and again. It is
// safe for concurrent use. Each text has one place, by its hash; the last one that was parsed has it.
type ownerCache struct {
	several hierarchy.Several
	seed    maphash.Seed
	places  []atomic.Pointer[parsedOwners]
}

type parsedOwners struct {
	text   string
	owners hierarchy.Owners
}

// maxCachedText keeps texts out that are longer than those of real objects.
const maxCachedText = 1024

// newOwnerCache has room for the owners of so many objects, of which some share theirs.
func newOwnerCache(several hierarchy.Several, objects int) *ownerCache {
	return &ownerCache{several: several, seed: maphash.MakeSeed(), places: make([]atomic.Pointer[parsedOwners], objects/4+1)}
}

// parse returns false if the text cannot be read.
func (c *ownerCache) parse(text string) (hierarchy.Owners, bool) {
	place := &c.places[maphash.String(c.seed, text)%uint64(len(c.places))]
	if known := place.Load(); known != nil && known.text == text {
		return known.owners, true
	}
	owners, err := hierarchy.ParseOwners(text, c.several)
	if err != nil {
		return hierarchy.Owners{}, false
	}
	if len(text) <= maxCachedText {
		place.Store(&parsedOwners{strings.Clone(text), owners}) // so that no batch is kept alive by it
	}
	return owners, true
}

// read teaches the node what the span tells of its owners, if it does. A dry run tells of what never was.
func (r *ownerReader) read(node *hierarchy.Node, span ptrace.Span, kind memberKind) (taught bool) {
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
	owners, ok := r.parse(v.AsString())
	if !ok {
		r.malformed++
		return false
	}
	node.Teach(owners, at)
	return true
}

// toldAt is when the owners on an object span were told, if that was about this very life of the object. So an object
// span repeats what is known but never makes it newer.
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
