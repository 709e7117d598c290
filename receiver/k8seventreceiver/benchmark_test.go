// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"fmt"
	"runtime"
	"testing"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver/internal/metadata"
)

// BenchmarkEventToSpan takes batches of decoded Events through filter, identity, redaction and spans to the pipeline. Each
// iteration is one Event.
func BenchmarkEventToSpan(b *testing.B) {
	config := createDefaultConfig().(*Config)
	config.Filter.Exclude = []RuleConfig{{Kinds: []string{"Lease*"}, Reasons: []string{"LeaderElection"}}}
	r := newReceiver(receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop(), defaultTiming)
	var err error
	r.telemetry, err = metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
	require.NoError(b, err)
	reader, err := r.newReader(b.Context(), &fakeCluster{})
	require.NoError(b, err)
	items := make([]item, 200)
	for i := range items {
		e := happened(fmt.Sprintf("E%03d", i), 2)
		e.Regarding.Name = fmt.Sprintf("web-%03d", i%50)
		e.Note = `Successfully assigned default/web-6d5f9c7b8-x2x4z to node "node-0"`
		items[i] = item{Event: e}
	}
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(items) {
		for _, it := range items {
			it.Series = &eventsv1.EventSeries{Count: it.Series.Count + 1, LastObservedTime: it.Series.LastObservedTime}
		}
		if err := reader.take(b.Context(), items, operationWatch, isNew, func(error) {}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTrackedEvents reports what it takes to remember the counts of all Events that are tracked by default.
func BenchmarkTrackedEvents(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		tracked, err := lru.New[types.UID, uint64](defaultTrackedEvents)
		require.NoError(b, err)
		for i := range defaultTrackedEvents {
			tracked.Add(types.UID(fmt.Sprintf("%08x-0000-4000-8000-000000000000", i)), 1)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(tracked)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/defaultTrackedEvents, "B/tracked")
}
