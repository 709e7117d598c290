// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadata"
)

// TestTheCountIsRightInTheEnd, to the last span, of two loops on one object, and of what was folded of the object in all.
func TestTheCountIsRightInTheEnd(t *testing.T) {
	const patches, threshold = 2000, 100
	next := &flaky{}
	cfg := createDefaultConfig().(*Config)
	cfg.Fold.Threshold = threshold
	cfg.Links.Presets, cfg.Tags = nil, nil
	created, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	p := created.(*linkProcessor)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	p.stop() // nobody but the test settles
	p.settled.Wait()
	other := func(_ int, span ptrace.Span) { span.Attributes().PutStr(attr.AuditSubresource, "scale") }
	for i := range patches {
		require.NoError(t, p.ConsumeTraces(t.Context(), loop(pod("a"), i, i+1)))
		require.NoError(t, p.ConsumeTraces(t.Context(), loop(pod("a"), patches+i, patches+i+1, other)))
	}
	rs := pod("a")
	trace := identity.TraceID(rs.Object, noon)
	own := idTriple{trace: trace, span: identity.ObjectSpanID(trace, identity.ObjectID(rs.Object))}

	all := stored(next.AllTraces()...)
	_, before := foldsOf(all)
	assert.Less(t, before, int64(2*(patches-threshold)), "the last ones are not told yet")
	require.NoError(t, p.settle(t.Context(), settleAfter), "and may be followed by more")

	next.err = errors.New("refused")
	require.ErrorIs(t, p.settle(t.Context(), 0), next.err)
	next.err = nil
	require.NoError(t, p.Shutdown(t.Context()))
	all = stored(next.AllTraces()...)
	folds, total := foldsOf(all)
	assert.Equal(t, 2, folds)
	kept := len(all) - folds - 1
	assert.EqualValues(t, 2*patches-kept, total)
	assert.Equal(t, total, count(all[own]))

	told := next.SpanCount()
	require.NoError(t, p.settle(t.Context(), 0))
	assert.Equal(t, told, next.SpanCount(), "once")
}

// TestTheObjectIsToldInTheEnd, also when the last count of the span that stands for many had been sent.
func TestTheObjectIsToldInTheEnd(t *testing.T) {
	next := new(consumertest.TracesSink)
	p := startProcessor(t, processortest.NewNopSettings(metadata.Type), next, func(c *Config) { c.Fold.Threshold = 100 }).(*linkProcessor)
	require.NoError(t, p.ConsumeTraces(t.Context(), loop(pod("a"), 0, 1000)))
	require.NoError(t, p.ConsumeTraces(t.Context(), loop(pod("a"), 1000, 1100)))
	own := func() (n int64) {
		for id, s := range stored(next.AllTraces()...) {
			if id.span == identity.ObjectSpanID(id.trace, identity.ObjectID(pod("a").Object)) {
				n = count(s)
			}
		}
		return n
	}
	_, total := foldsOf(stored(next.AllTraces()...))
	require.EqualValues(t, 1000, total, "it was sent")
	require.EqualValues(t, 900, own(), "it has not doubled")
	require.NoError(t, p.settle(t.Context(), 0))
	assert.EqualValues(t, 1000, own())
}

// TestBatchesAtTheSameTimeAreCountedOnce, whatever the order in which they are decided and accepted.
func TestBatchesAtTheSameTimeAreCountedOnce(t *testing.T) {
	const senders, each, size = 8, 10, 50
	next := new(consumertest.TracesSink)
	p := startProcessor(t, processortest.NewNopSettings(metadata.Type), next, func(c *Config) { c.Fold.Threshold = 100 }).(*linkProcessor)
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for i := range each {
				from := (s*each + i) * size
				assert.NoError(t, p.ConsumeTraces(t.Context(), loop(pod("a"), from, from+size)))
			}
		})
	}
	all.Wait()
	require.NoError(t, p.settle(t.Context(), 0))
	spans := stored(next.AllTraces()...)
	folds, total := foldsOf(spans)
	assert.Equal(t, 1, folds)
	assert.EqualValues(t, senders*each*size-(len(spans)-2), total)
}
