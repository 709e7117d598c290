// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package sharding

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver"
)

// outcome is what a tier made of the recorded audit log, once it had seen all of it.
type outcome struct {
	// spans is where each span is: trace, span and parent.
	spans map[string]bool
	// objects is where the spans of objects are, in the traces of the others.
	objects map[string]bool
	// edges are the objects under objects, whichever traces tell it, and told is what is on each object.
	edges, told map[string]bool
	// traces is how many there are.
	traces int
}

// outcomeOf delivers the recording twice. The first time things are not known yet that come later, and processes run ahead of each
// other; from then on each span has one place.
func outcomeOf(t *testing.T, b *tier) outcome {
	t.Helper()
	batches := recording(t)
	ids := writes(t, batches)
	from := 0
	for range 2 {
		from = b.sink.batches()
		for _, batch := range batches {
			b.post(t, "prod", batch)
		}
		b.sink.awaitAudits(t, from, ids)
	}
	o := outcome{spans: map[string]bool{}, objects: map[string]bool{}, edges: map[string]bool{}, told: map[string]bool{}}
	traces := map[pcommon.TraceID]bool{}
	// Objects and links come again when a process learns of them anew, so they are not compared by the pass that they come in.
	for _, s := range b.sink.spans(from) {
		if s.text(attr.AuditID) != "" {
			o.spans[place(s)] = true
			o.told[s.SpanID().String()+" on "+s.objectID()] = true
			traces[s.TraceID()] = true
		}
	}
	o.traces = len(traces)
	all := b.sink.spans(0)
	objectOf := map[pcommon.SpanID]string{}
	for _, s := range all {
		if s.isObject() {
			objectOf[s.SpanID()] = s.objectID()
		}
	}
	for _, s := range all {
		if !s.isObject() {
			continue
		}
		if traces[s.TraceID()] {
			o.objects[place(s)] = true
		}
		if !s.ParentSpanID().IsEmpty() {
			owner, ok := objectOf[s.ParentSpanID()]
			require.True(t, ok, "a parent is missing")
			o.edges[s.objectID()+" under "+owner] = true
		}
	}
	return o
}

func place(s span) string {
	return fmt.Sprintf("%s %s under %s", s.TraceID(), s.SpanID(), s.ParentSpanID())
}

// writes are the audit IDs of the recording that become spans, as the receiver alone has it.
func writes(t *testing.T, batches [][][]byte) map[string]bool {
	t.Helper()
	alone := &tier{webhook: testbed.FreeAddress(t)}
	factory := auditlogreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"webhook": map[string]any{"endpoint": alone.webhook, "path": "/audit"},
	}).Unmarshal(config))
	made := new(consumertest.TracesSink)
	receiver, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), config, made)
	require.NoError(t, err)
	require.NoError(t, receiver.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, receiver.Shutdown(context.Background())) }()
	for _, batch := range batches {
		alone.post(t, "prod", batch)
	}
	ids := map[string]bool{}
	for _, td := range made.AllTraces() {
		for _, s := range flatten(td) {
			ids[s.text(attr.AuditID)] = true
		}
	}
	require.Greater(t, len(ids), 500)
	return ids
}

func TestReplicasMakeWhatOneMakes(t *testing.T) {
	one := outcomeOf(t, startOne(t))
	require.Greater(t, len(one.edges), 20)

	// By namespace, as in the example: nothing differs.
	three := outcomeOf(t, startBalanced(t))
	requireSame(t, one.spans, three.spans, "spans")
	requireSame(t, one.objects, three.objects, "object spans")
	requireSame(t, one.edges, three.edges, "edges")

	// By trace ID, and nobody to ask for owners: a process that sees a Pod knows its ReplicaSet, but not whose that is. No span is
	// missing, and merged by object the forest is the same.
	for name, startTier := range map[string]func(t *testing.T) *tier{
		"load balanced": func(t *testing.T) *tier { return startBalanced(t, byObject...) },
		"Kafka":         startKafka,
	} {
		t.Run("by object, "+name, func(t *testing.T) {
			scattered := outcomeOf(t, startTier(t))
			requireSame(t, one.told, scattered.told, "what is told of objects")
			requireSame(t, one.edges, scattered.edges, "edges")
			assert.Greater(t, scattered.traces, one.traces, "trees are cut below the second level")
			t.Logf("%d spans, %d edges; %d traces by one and by namespace, %d by object", len(one.spans), len(one.edges), one.traces, scattered.traces)
		})
	}
}

func requireSame(t *testing.T, want, got map[string]bool, what string) {
	t.Helper()
	missing, added := difference(want, got), difference(got, want)
	require.Empty(t, missing, "%s: missing", what)
	require.Empty(t, added, "%s: added", what)
}

func difference(a, b map[string]bool) []string {
	d := maps.Clone(a)
	maps.DeleteFunc(d, func(key string, _ bool) bool { return b[key] })
	return slices.Sorted(maps.Keys(d))
}

// TestClustersDoNotMixOverShards: the same objects and audit IDs in two clusters, through one webhook.
func TestClustersDoNotMixOverShards(t *testing.T) {
	for name, set := range map[string][]string{"by namespace": nil, "by object": byObject} {
		t.Run(name, func(t *testing.T) {
			b := startBalanced(t, set...)
			sent := map[string]bool{}
			for n := range 4 {
				events := load(n, sent)
				b.post(t, "one", events)
				b.post(t, "two", events)
			}
			want := map[string]int{"one": len(sent), "two": len(sent)}
			require.Eventually(t, func() bool {
				got, counted := map[string]int{}, map[string]bool{}
				for _, s := range b.sink.spans(0) {
					if id := s.cluster() + s.text(attr.AuditID); s.text(attr.AuditID) != "" && !counted[id] {
						counted[id] = true
						got[s.cluster()]++
					}
				}
				return maps.Equal(want, got)
			}, patience, 200*time.Millisecond)
			clusterOf := map[pcommon.TraceID]string{}
			for _, s := range b.sink.spans(0) {
				before, ok := clusterOf[s.TraceID()]
				require.True(t, !ok || before == s.cluster(), "a trace with spans of both")
				clusterOf[s.TraceID()] = s.cluster()
			}
		})
	}
}
