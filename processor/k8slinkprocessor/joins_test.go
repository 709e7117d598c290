// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadata"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadatatest"
)

// patched is the audit span of a patch that made a version, a second after noon for each. Without told it is of level Metadata.
type patched struct {
	on      objectspan.Resource
	version int
	told    bool
}

func audited(spans ...patched) ptrace.Traces {
	batch := objectspan.NewBatch(window, "auditlog", "")
	for _, s := range spans {
		start := noon.Add(time.Duration(s.version) * time.Second)
		span := batch.Append(s.on, attr.SpanTypeAudit, start, start.Add(10*time.Millisecond))
		id := fmt.Sprintf("patch-%s-%d", s.on.Name, s.version)
		span.SetSpanID(identity.AuditSpanID(span.TraceID(), id, identity.AuditComplete))
		span.SetName("alice patch")
		attrs := span.Attributes()
		attrs.PutStr(attr.AuditID, id)
		attrs.PutStr(attr.AuditStage, "ResponseComplete")
		attrs.PutStr(attr.AuditVerb, "patch")
		attrs.PutStr(attr.UserAgent, "kubectl/v1.37.0 (linux/amd64)")
		if s.told {
			attrs.PutStr(attr.ObjectResourceVersion, strconv.Itoa(s.version))
		}
	}
	return batch.Traces()
}

// observed is the watch span of the same.
func observed(spans ...patched) ptrace.Traces {
	batch := objectspan.NewBatch(window, "watch", "")
	for _, s := range spans {
		at := noon.Add(time.Duration(s.version)*time.Second + 5*time.Millisecond)
		span := batch.Append(s.on, attr.SpanTypeWatch, at, at)
		span.SetSpanID(identity.WatchSpanID(span.TraceID(), s.on.UID, strconv.Itoa(s.version), "updated"))
		span.SetName("updated")
		attrs := span.Attributes()
		attrs.PutStr(attr.ObjectResourceVersion, strconv.Itoa(s.version))
		attrs.PutStr(attr.WatchFieldManagers, fmt.Sprintf(`[{"manager":"kubectl","operation":"Update","time":%q,"fields":1}]`,
			at.Truncate(time.Second).Format(time.RFC3339)))
		diff := span.Events().AppendEmpty()
		diff.SetName(attr.EventDiff)
		diff.SetTimestamp(span.EndTimestamp())
		diff.Attributes().PutStr("spec.replicas", fmt.Sprintf("%d -> %d", s.version-1, s.version))
	}
	return batch.Traces()
}

// diffs lists what is on audit spans: "web 5 exact 4 -> 5".
func diffs(batches ...ptrace.Traces) []string {
	var all []string
	for _, s := range flatten(batches...) {
		if s.spanType() != attr.SpanTypeAudit {
			continue
		}
		for _, event := range s.Events().All() {
			line := text(s.resource, attr.ClusterName) + " " + text(s.resource, attr.ObjectName) + " " + text(s.Attributes(), attr.DiffJoin)
			if version := text(s.Attributes(), attr.DiffResourceVersion); version != "" {
				line += " " + version
			}
			all = append(all, line+" "+text(event.Attributes(), "spec.replicas"))
		}
	}
	return all
}

func TestDiffsGoOntoAuditSpans(t *testing.T) {
	web := deployment("web")
	exact, inferred := patched{web, 5, true}, patched{web, 7, false}
	want := []string{"prod web exact 4 -> 5", "prod web inferred 7 6 -> 7"}

	e := newTestEngine(t)
	run(e, observed(exact, inferred))
	assert.Equal(t, want, diffs(run(e, audited(exact, inferred))), "the change came before")
	assert.Equal(t, want, diffs(run(e, audited(exact, inferred))), "and once more")

	both := observed(exact, inferred)
	audited(exact, inferred).ResourceSpans().MoveAndAppendTo(both.ResourceSpans())
	again := clone(run(newTestEngine(t), both))
	assert.Equal(t, want, diffs(both), "both came at once")
	assert.Equal(t, want, diffs(run(newTestEngine(t), again)), "a second k8slink adds nothing")

	e = newTestEngine(t)
	early := clone(run(e, audited(exact, inferred)))
	assert.Empty(t, diffs(early), "the change came after: nothing waited for it")
	run(e, observed(exact, inferred))
	assert.Equal(t, want, diffs(run(e, early)), "sent again")

	e = newTestEngine(t, func(c *Config) { c.Joins.Enabled = false })
	run(e, observed(exact, inferred))
	assert.Empty(t, diffs(run(e, audited(exact, inferred))), "off")
}

// TestClustersAreNotJoined: the same object, version, manager and second in another cluster.
func TestClustersAreNotJoined(t *testing.T) {
	web, other := deployment("web"), deployment("web")
	other.Cluster = "test"
	for _, told := range []bool{true, false} {
		e := newTestEngine(t)
		run(e, observed(patched{other, 5, told}))
		assert.Empty(t, diffs(run(e, audited(patched{web, 5, told}))))
		how := "inferred 5"
		if told {
			how = "exact"
		}
		assert.Equal(t, []string{"test web " + how + " 4 -> 5"}, diffs(run(e, audited(patched{other, 5, told}))))
	}
}

// TestLivesAreNotJoined: the same version of an object that was deleted and made again is of another life.
func TestLivesAreNotJoined(t *testing.T) {
	web, later := deployment("web"), deployment("web")
	later.UID = "another"
	e := newTestEngine(t)
	run(e, observed(patched{web, 5, false}))
	assert.Empty(t, diffs(run(e, audited(patched{later, 5, false}))))
}

// TestJoinsDropNoSpan: what the table does not remember changes nothing else.
func TestJoinsDropNoSpan(t *testing.T) {
	e := newTestEngine(t, func(c *Config) { c.Joins.MaxSize = 1 })
	web := deployment("web")
	assert.Equal(t, 2, run(e, observed(patched{web, 5, true})).SpanCount(), "the change, and the object")
	assert.Equal(t, 1, run(e, audited(patched{web, 5, true})).SpanCount())
	assert.Equal(t, int64(1), e.joins.Stats().Evicted)
}

func TestChangesAreForgotten(t *testing.T) {
	e := newTestEngine(t)
	now := noon
	e.clock = func() time.Time { return now }
	run(e, observed(patched{deployment("web"), 5, true}))
	now = now.Add(defaultJoins().MaxAge + time.Second)
	assert.Empty(t, diffs(run(e, audited(patched{deployment("web"), 5, true}))))
}

// TestHeldChangesAreSpared: a change whose diff went onto an audit span meanwhile is not handed on; the others are.
func TestHeldChangesAreSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon) + 6*time.Second) // the clock of the test, which starts in 2000
		web := deployment("web")
		next := &consumertest.TracesSink{}
		p := newHolding(t, next)
		held := make(chan error)
		go func() { held <- p.ConsumeTraces(t.Context(), observed(patched{web, 4, true}, patched{web, 5, true})) }()
		synctest.Wait()
		assert.Empty(t, next.AllTraces(), "it waits")

		begin := time.Now()
		require.NoError(t, p.ConsumeTraces(t.Context(), audited(patched{web, 5, true})))
		assert.Zero(t, time.Since(begin), "audit spans never wait")
		assert.Equal(t, []string{"prod web exact 4 -> 5"}, diffs(next.AllTraces()...))

		require.NoError(t, <-held)
		assert.Equal(t, noon.Add(5*time.Second+5*time.Millisecond+3*time.Second), time.Now().UTC(), "from when the last was observed")
		assert.Equal(t, []string{"4"}, watchVersions(next.AllTraces()...))

		begin = time.Now()
		require.NoError(t, p.ConsumeTraces(t.Context(), observed(patched{web, 3, true})))
		assert.Zero(t, time.Since(begin), "what is old enough does not wait")
	})
}

// TestOnlyWatchSpansAreHeld: a batch with anything else does not wait.
func TestOnlyWatchSpansAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon) + 5*time.Second)
		web := deployment("web")
		for name, mixed := range map[string]ptrace.Traces{
			"audit": audited(patched{web, 4, true}), "foreign": foreignBatch(foreignSpan{name: "query", id: 1}), "nothing to join": receive(told{on: web, name: "x"}),
		} {
			next := &consumertest.TracesSink{}
			p := newHolding(t, next)
			begin := time.Now()
			td := observed(patched{web, 5, true})
			mixed.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
			require.NoError(t, p.ConsumeTraces(t.Context(), td))
			assert.Zero(t, time.Since(begin), name)
			assert.Equal(t, []string{"5"}, watchVersions(next.AllTraces()...), name)
		}
	})
}

// TestHeldChangesAreNotLost: one whose audit span was refused, or whose sender gives up, is not taken for told.
func TestHeldChangesAreNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon) + 6*time.Second)
		web := deployment("web")
		next := &refusesAudit{}
		p := newHolding(t, next)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.ConsumeTraces(ctx, observed(patched{web, 5, true})), context.DeadlineExceeded)

		held := make(chan error)
		go func() { held <- p.ConsumeTraces(t.Context(), observed(patched{web, 5, true})) }()
		synctest.Wait()
		require.ErrorIs(t, p.ConsumeTraces(t.Context(), audited(patched{web, 5, true})), errRefused)
		require.NoError(t, <-held)
		assert.Equal(t, []string{"5"}, watchVersions(next.AllTraces()...))
	})
}

var errRefused = errors.New("refused")

// refusesAudit takes no batch with an audit span in it.
type refusesAudit struct{ consumertest.TracesSink }

func (r *refusesAudit) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	for _, s := range flatten(td) {
		if s.spanType() == attr.SpanTypeAudit {
			return errRefused
		}
	}
	return r.TracesSink.ConsumeTraces(ctx, td)
}

// newHolding starts a processor that holds changes for three seconds.
func newHolding(t *testing.T, next consumer.Traces) *linkProcessor {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Joins.Hold = 3 * time.Second
	p, err := newProcessor(processortest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p
}

func watchVersions(batches ...ptrace.Traces) []string {
	var all []string
	for _, s := range flatten(batches...) {
		if s.spanType() == attr.SpanTypeWatch {
			all = append(all, text(s.Attributes(), attr.ObjectResourceVersion))
		}
	}
	return all
}

func TestJoinMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	p := startProcessor(t, metadatatest.NewSettings(tel), &consumertest.TracesSink{}, func(c *Config) { c.Joins.Hold = time.Nanosecond })
	web := deployment("web")
	consume := func(td ptrace.Traces) { require.NoError(t, p.ConsumeTraces(t.Context(), td)) }
	consume(observed(patched{web, 5, true}, patched{web, 6, false}, patched{web, 7, false}))
	consume(audited(patched{web, 5, true}, patched{web, 6, false}, patched{web, 8, true}))
	twin := patched{web, 7, false}
	twins := audited(twin, twin)
	flatten(twins)[1].SetSpanID([8]byte{1})
	consume(twins)
	consume(observed(patched{web, 8, true}))
	consume(observed(patched{web, 5, true}))

	count := func(result string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String("result", result)), Value: n}
	}
	metadatatest.AssertEqualProcessorK8slinkJoins(t, tel, []metricdata.DataPoint[int64]{
		count("exact", 1), count("inferred", 1), count("ambiguous", 2), count("late", 1),
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorK8slinkJoinsSpared(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorK8slinkJoinsForgotten(t, tel, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("cause", "expired"))}, {Attributes: attribute.NewSet(attribute.String("cause", "evicted"))},
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorK8slinkJoinsSize(t, tel, []metricdata.DataPoint[int64]{{}},
		metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreValue())
}

// TestJoinsOfOneBatchAreBounded: however hostile the batch, what is remembered after it is within the limit.
func TestJoinsOfOneBatchAreBounded(t *testing.T) {
	e := newTestEngine(t, func(c *Config) { c.Joins.MaxSize = 100_000 })
	var all []patched
	for i := range 500 {
		all = append(all, patched{deployment("web-" + strconv.Itoa(i)), 5, true})
	}
	run(e, observed(all...))
	run(e, audited(all...))
	assert.LessOrEqual(t, e.joins.Stats().Size, int64(100_000))
}
