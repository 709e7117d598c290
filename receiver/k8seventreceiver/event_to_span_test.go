// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	eventsv1 "k8s.io/api/events/v1"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

func spanOf(t *testing.T, e *eventsv1.Event, change func(*Config)) ptrace.Span {
	t.Helper()
	sink := new(spans)
	f := newTestFollower(t, newFakeAPI(), newMemory(), sink, change)
	require.NoError(t, f.take(t.Context(), []item{{Event: e}}, operationWatch, isNew, f.refused))
	require.Len(t, sink.all, 1)
	return sink.all[0]
}

func TestWarningIsAnErrorOnRequestOnly(t *testing.T) {
	e := happened("BackOff", 1)
	e.Type = "Warning"
	span := spanOf(t, e, nil)
	assert.Equal(t, ptrace.StatusCodeUnset, span.Status().Code())
	kind, _ := span.Attributes().Get(attr.EventType)
	assert.Equal(t, "Warning", kind.Str())

	asError := func(c *Config) { c.WarningsAsErrors = true }
	span = spanOf(t, e, asError)
	assert.Equal(t, ptrace.StatusCodeError, span.Status().Code())
	errorType, _ := span.Attributes().Get(attr.ErrorType)
	assert.Equal(t, "BackOff", errorType.Str())

	e.Type = "Normal"
	assert.Equal(t, ptrace.StatusCodeUnset, spanOf(t, e, asError).Status().Code())
}

// TestRecurringEventIsInTheWindowOfEachOccurrence rather than in that of the first.
func TestRecurringEventIsInTheWindowOfEachOccurrence(t *testing.T) {
	e := happened("BackOff", 1)
	e.EventTime.Time = noon
	first := spanOf(t, e, nil)
	e.Series = &eventsv1.EventSeries{Count: 200}
	e.Series.LastObservedTime.Time = at(180)
	last := spanOf(t, e, nil)
	pod := identity.Object{Cluster: "prod", Resource: "pods", Namespace: "default", Name: "web"}
	assert.Equal(t, identity.TraceID(pod, noon), first.TraceID())
	assert.Equal(t, identity.TraceID(pod, at(180)), last.TraceID())
	assert.Equal(t, identity.EventSpanID(last.TraceID(), string(e.UID), 200), last.SpanID())
}

func TestTextsAreBoundedAndValid(t *testing.T) {
	e := happened("A", 1)
	e.Note = strings.Repeat("ä", 40_000) + "\xff"
	e.Reason = strings.Repeat("R", 5_000)
	span := spanOf(t, e, nil)
	text, _ := span.Events().At(0).Attributes().Get(attr.MessageText)
	assert.LessOrEqual(t, len(text.Str()), maxMessage+len("…"))
	assert.True(t, strings.HasSuffix(text.Str(), "…"))
	assert.True(t, utf8.ValidString(text.Str()))
	assert.LessOrEqual(t, len(span.Name()), maxText+len("…"))
}

func TestEventWithoutNoteHasNoMessage(t *testing.T) {
	e := happened("A", 1)
	e.Note = ""
	assert.Zero(t, spanOf(t, e, nil).Events().Len())
}
