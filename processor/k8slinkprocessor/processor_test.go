// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadata"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadatatest"
)

func startProcessor(t *testing.T, set processor.Settings, next consumer.Traces, change ...func(*Config)) processor.Traces {
	cfg := createDefaultConfig().(*Config)
	for _, f := range change {
		f(cfg)
	}
	p, err := NewFactory().CreateTraces(t.Context(), set, cfg, next)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p
}

// flaky refuses a batch when told to.
type flaky struct {
	consumertest.TracesSink
	err error
}

func (f *flaky) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if f.err != nil {
		return f.err
	}
	return f.TracesSink.ConsumeTraces(ctx, td)
}

func rollout() ptrace.Traces {
	web, rs := deployment("web"), replicaSet("web-1")
	return receive(
		told{on: web, name: "create web", owners: "[]"},
		told{on: rs, name: "create rs", owners: controlledBy(web)},
		told{on: pod("web-1-a"), name: "create a", owners: controlledBy(rs)},
	)
}

func TestRefusedBatchLosesNothing(t *testing.T) {
	refused := errors.New("refused")
	for name, second := range map[string]func(first ptrace.Traces) ptrace.Traces{
		"the receiver sends it anew": func(ptrace.Traces) ptrace.Traces { return rollout() },
		"the same data comes again":  func(first ptrace.Traces) ptrace.Traces { return first },
	} {
		t.Run(name, func(t *testing.T) {
			next := &flaky{err: refused}
			p := startProcessor(t, processortest.NewNopSettings(metadata.Type), next)
			first := rollout()
			require.ErrorIs(t, p.ConsumeTraces(t.Context(), first), refused)
			next.err = nil
			require.NoError(t, p.ConsumeTraces(t.Context(), second(first)))
			assert.Equal(t, trimPicture(`
				deployments/web
				  create web
				  replicasets/web-1
				    create rs
				    pods/web-1-a
				      create a`), picture(next.AllTraces()...))
		})
	}
}

// TestNothingLeftIsNotSent: a batch of object spans that were all sent before is acknowledged without an empty batch.
func TestNothingLeftIsNotSent(t *testing.T) {
	next := new(consumertest.TracesSink)
	p := startProcessor(t, processortest.NewNopSettings(metadata.Type), next)
	require.NoError(t, p.ConsumeTraces(t.Context(), rollout()))
	objects := clone(next.AllTraces()[0])
	objects.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool { return ss.Scope().Name() == "receiver" })
		return false
	})
	require.Equal(t, 3, objects.SpanCount())
	require.NoError(t, p.ConsumeTraces(t.Context(), objects))
	assert.Len(t, next.AllTraces(), 1)

	require.NoError(t, p.ConsumeTraces(t.Context(), ptrace.NewTraces()))
	assert.Len(t, next.AllTraces(), 2, "what came in empty goes out empty")
}

func TestMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	next := &flaky{}
	p := startProcessor(t, set, next, func(c *Config) { c.MaxObjects, c.MaxDepth = 3, 3 })

	next.err = errors.New("refused")
	require.Error(t, p.ConsumeTraces(t.Context(), rollout()), "and not counted")
	next.err = nil
	require.NoError(t, p.ConsumeTraces(t.Context(), rollout()))
	require.NoError(t, p.ConsumeTraces(t.Context(), receive(told{on: pod("web-1-a"), name: "patch"})))
	require.NoError(t, p.ConsumeTraces(t.Context(), foreignBatch(foreignSpan{name: "other", id: 1})))
	require.NoError(t, p.ConsumeTraces(t.Context(), receive(
		told{on: pod("b"), name: "garbage", owners: "?"},
		told{on: pod("self"), name: "create", owners: controlledBy(pod("self"))},
	)))
	for i := range 4 {
		require.NoError(t, p.ConsumeTraces(t.Context(), receive(
			told{on: pod(fmt.Sprint(i + 1)), name: "create", owners: controlledBy(pod(fmt.Sprint(i)))},
			told{on: objectspan.Resource{Object: identity.Object{Resource: fmt.Sprint(i), Name: "x"}, Kind: fmt.Sprint(i)}, name: "create"},
		)))
	}

	by := func(key, value string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String(key, value))}
	}
	same := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualProcessorK8slinkSpans(t, tel, []metricdata.DataPoint[int64]{
		by("outcome", "rehomed", 7), by("outcome", "kept", 7), by("outcome", "untouched", 1),
	}, same)
	metadatatest.AssertEqualProcessorK8slinkOwners(t, tel, []metricdata.DataPoint[int64]{
		by("source", "batch", 7), by("source", "cache", 5), by("source", "none", 2), by("source", "unknown", 8),
	}, same)
	metadatatest.AssertEqualProcessorK8slinkChainsCut(t, tel, []metricdata.DataPoint[int64]{
		by("reason", "cycle", 1), by("reason", "depth", 1),
	}, same)
	metadatatest.AssertEqualProcessorK8slinkMalformedOwners(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, same)
	metadatatest.AssertEqualProcessorK8slinkObjectsCached(t, tel, []metricdata.DataPoint[int64]{{Value: 3}}, same)
	metadatatest.AssertEqualProcessorK8slinkEvictions(t, tel, []metricdata.DataPoint[int64]{
		by("table", "objects", 5), by("table", "deleted_objects", 0), by("table", "types", 1), by("table", "object_spans", 14),
		by("table", "folds", 0), by("table", "links", 0), by("table", "link_spans", 0),
	}, same)
	metadatatest.AssertEqualProcessorK8slinkObjectSpans(t, tel, []metricdata.DataPoint[int64]{{Value: 17}}, same)
}
