// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestOccurrenceOf(t *testing.T) {
	second := func(minutes int) metav1.Time { return metav1.NewTime(at(minutes)) }
	micro := func(minutes int) metav1.MicroTime { return metav1.NewMicroTime(at(minutes)) }
	for name, tt := range map[string]struct {
		event             eventsv1.Event
		count             uint64
		first, start, end int
	}{
		"new, once":              {eventsv1.Event{EventTime: micro(1)}, 1, 1, 1, 1},
		"new, series":            {eventsv1.Event{EventTime: micro(1), Series: &eventsv1.EventSeries{Count: 4, LastObservedTime: micro(90)}}, 4, 1, 90, 90},
		"new, series of one":     {eventsv1.Event{EventTime: micro(1), Series: &eventsv1.EventSeries{Count: 1, LastObservedTime: micro(2)}}, 1, 1, 1, 2},
		"new, series of nothing": {eventsv1.Event{EventTime: micro(1), Series: &eventsv1.EventSeries{}}, 1, 1, 1, 1},
		"series without a time":  {eventsv1.Event{EventTime: micro(1), Series: &eventsv1.EventSeries{Count: 3}}, 3, 1, 1, 1},
		"old, once":              {eventsv1.Event{DeprecatedFirstTimestamp: second(1), DeprecatedLastTimestamp: second(1), DeprecatedCount: 1}, 1, 1, 1, 1},
		"old, again":             {eventsv1.Event{DeprecatedFirstTimestamp: second(1), DeprecatedLastTimestamp: second(40), DeprecatedCount: 9}, 9, 1, 40, 40},
		"old, without a count":   {eventsv1.Event{DeprecatedFirstTimestamp: second(1), DeprecatedLastTimestamp: second(3)}, 1, 1, 1, 3},
		"old, negative":          {eventsv1.Event{DeprecatedFirstTimestamp: second(1), DeprecatedCount: -2}, 1, 1, 1, 1},
		"old, last only":         {eventsv1.Event{DeprecatedLastTimestamp: second(5), DeprecatedCount: 2}, 2, 5, 5, 5},
		"last before first":      {eventsv1.Event{DeprecatedFirstTimestamp: second(5), DeprecatedLastTimestamp: second(1), DeprecatedCount: 1}, 1, 5, 5, 5},
		"both": {eventsv1.Event{
			EventTime: micro(1), Series: &eventsv1.EventSeries{Count: 4, LastObservedTime: micro(9)},
			DeprecatedFirstTimestamp: second(2), DeprecatedLastTimestamp: second(3), DeprecatedCount: 2,
		}, 4, 1, 9, 9},
		"no time at all": {eventsv1.Event{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: second(7)}}, 1, 7, 7, 7},
	} {
		t.Run(name, func(t *testing.T) {
			o := occurrenceOf(&tt.event)
			assert.Equal(t, tt.count, o.count)
			assert.Equal(t, []time.Time{at(tt.first), at(tt.start), at(tt.end)}, []time.Time{o.first, o.start, o.end})
		})
	}
}

func TestReporterFallsBackToTheDeprecatedSource(t *testing.T) {
	e := &eventsv1.Event{DeprecatedSource: corev1.EventSource{Component: "kubelet", Host: "node-0"}}
	assert.Equal(t, []string{"kubelet", "node-0"}, []string{controllerOf(e), instanceOf(e)})
	e.ReportingController, e.ReportingInstance = "example.com/c", "c-1"
	assert.Equal(t, []string{"example.com/c", "c-1"}, []string{controllerOf(e), instanceOf(e)})
}
