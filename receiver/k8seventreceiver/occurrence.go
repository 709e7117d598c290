// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"time"

	eventsv1 "k8s.io/api/events/v1"
)

// occurrence is one state of an Event: it happened, or happened again. All but increase is computed from the Event as it
// is, so that whoever reads that state, and when, gets the same.
type occurrence struct {
	event *eventsv1.Event

	// count is how often it has occurred so far; at least 1.
	count uint64
	// increase is how much count grew since the state that was delivered before; 0 if none is known.
	increase uint64

	// first is when it was observed for the first time.
	first time.Time
	// start and end are those of the span. A later occurrence has only a time at which it was observed, so that each
	// is in the window in which it happened, however long the Event has been recurring.
	start, end time.Time
}

// occurrenceOf reads both styles of Events: with eventTime and series, and with the deprecated timestamps and count.
func occurrenceOf(e *eventsv1.Event) occurrence {
	o := occurrence{event: e, count: countOf(e)}
	o.first = earliest(e)
	last := latest(e)
	if o.count == 1 || last.IsZero() {
		o.start = o.first
	} else {
		o.start = last
	}
	o.end = o.start
	if last.After(o.end) {
		o.end = last
	}
	return o
}

func countOf(e *eventsv1.Event) uint64 {
	count := e.DeprecatedCount
	if e.Series != nil {
		count = e.Series.Count
	}
	return uint64(max(count, 1))
}

// earliest falls back to when the Event was written.
func earliest(e *eventsv1.Event) time.Time {
	switch {
	case !e.EventTime.IsZero():
		return e.EventTime.UTC()
	case !e.DeprecatedFirstTimestamp.IsZero():
		return e.DeprecatedFirstTimestamp.UTC()
	case !e.DeprecatedLastTimestamp.IsZero():
		return e.DeprecatedLastTimestamp.UTC()
	}
	return e.CreationTimestamp.UTC()
}

// latest is zero when the Event does not tell.
func latest(e *eventsv1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.UTC()
	case !e.DeprecatedLastTimestamp.IsZero():
		return e.DeprecatedLastTimestamp.UTC()
	}
	return time.Time{}
}

// controllerOf is who reported it.
func controllerOf(e *eventsv1.Event) string {
	if e.ReportingController != "" {
		return e.ReportingController
	}
	return e.DeprecatedSource.Component
}

// instanceOf is which of its copies reported it.
func instanceOf(e *eventsv1.Event) string {
	if e.ReportingInstance != "" {
		return e.ReportingInstance
	}
	return e.DeprecatedSource.Host
}
