// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diffjoin // import "github.com/kelemetry/kelemetry/internal/diffjoin"

import (
	"encoding/json"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// Change is what is known of a change that was observed.
type Change struct {
	// ID is the span's. A change that is delivered again has the same.
	ID pcommon.SpanID
	// At is when it was observed, or made, as far as that is known.
	At time.Time
	// UID is the object's; empty if it is not known.
	UID string
	// Version is the object's resourceVersion after the change, Previous the one before, if that is known.
	Version, Previous string
	Managers          []Manager

	// skipped is that several updates may be in it.
	skipped bool
	// deletion is that deletion was requested by it, hastened that it was requested before and is to be sooner.
	deletion, hastened bool
	// bound is that a Pod was put on a node by it.
	bound bool
}

// Manager is a field manager that may have made a change.
type Manager struct {
	Name        string    `json:"manager"`
	Subresource string    `json:"subresource"`
	Time        time.Time `json:"time"`
	// Fields is how many of the changes it owns; 0 if it only wrote in the same second.
	Fields int `json:"fields"`
}

// Paths of a diff that tell what kind of change it was.
const (
	pathDeletionTimestamp = "metadata.deletionTimestamp"
	pathGracePeriod       = "metadata.deletionGracePeriodSeconds"
	pathNodeName          = "spec.nodeName"
)

// ReadChange reads a watch span. It is false of one without a diff.
func ReadChange(span ptrace.Span) (c Change, diff ptrace.SpanEvent, ok bool) {
	attrs := span.Attributes()
	if text(attrs, attr.SpanType) != attr.SpanTypeWatch {
		return c, diff, false
	}
	if diff, ok = Diff(span); !ok {
		return c, diff, false
	}
	c = Change{
		ID: span.SpanID(), At: span.StartTimestamp().AsTime(),
		Version:  text(attrs, attr.ObjectResourceVersion),
		Previous: text(attrs, attr.PreviousResourceVersion),
		skipped:  isTrue(attrs, attr.WatchInferred),
		deletion: isRequested(attrs),
	}
	_, at := diff.Attributes().Get(pathDeletionTimestamp)
	_, grace := diff.Attributes().Get(pathGracePeriod)
	c.hastened = at || grace
	_, c.bound = diff.Attributes().Get(pathNodeName)
	c.Managers = managersOf(text(attrs, attr.WatchFieldManagers))
	return c, diff, true
}

// managersOf reads field managers. What cannot be read is as if it were not told: then versions alone can join.
func managersOf(text string) (managers []Manager) {
	if text == "" || json.Unmarshal([]byte(text), &managers) != nil {
		return nil
	}
	return managers
}

// Diff returns the diff on a span.
func Diff(span ptrace.Span) (ptrace.SpanEvent, bool) {
	for _, event := range span.Events().All() {
		if event.Name() == attr.EventDiff {
			return event, true
		}
	}
	return ptrace.SpanEvent{}, false
}

func isRequested(attrs pcommon.Map) bool {
	steps, ok := attrs.Get(attr.WatchDeletion)
	if !ok || steps.Type() != pcommon.ValueTypeSlice {
		return false
	}
	for _, step := range steps.Slice().All() {
		if step.Str() == attr.WatchDeletionRequested {
			return true
		}
	}
	return false
}
