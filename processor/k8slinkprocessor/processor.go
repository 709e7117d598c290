// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadata"
)

type linkProcessor struct {
	config *Config
	logger *zap.Logger
	// failed are the rules of which a failure was told as a warning.
	failed sync.Map
	// calls are the calls of linkers that have not come back.
	calls sync.WaitGroup
	// stop ends what settles the counts of folded spans; settled is done when it has.
	stop    context.CancelFunc
	settled sync.WaitGroup

	engine    *engine
	next      consumer.Traces
	telemetry *metadata.TelemetryBuilder
}

func newProcessor(set processor.Settings, cfg *Config, next consumer.Traces) (*linkProcessor, error) {
	engine, err := newEngine(cfg, metadata.ScopeName, set.BuildInfo.Version)
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("making the metrics: %w", err)
	}
	p := &linkProcessor{config: cfg, logger: set.Logger, engine: engine, next: next, telemetry: telemetry}
	engine.report = p.evaluated
	if err := p.observe(); err != nil {
		telemetry.Shutdown()
		return nil, fmt.Errorf("registering the metrics of the cache: %w", err)
	}
	return p, nil
}

// Capabilities implements consumer.Traces.
func (*linkProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// Start implements component.Component.
func (p *linkProcessor) Start(_ context.Context, host component.Host) error {
	linkers, err := findLinkers(host, p.config.Links.Linkers, p.config.Links.LinkerTimeout, &p.calls)
	if err != nil {
		return err
	}
	p.engine.linkers = linkers
	if err := p.openLookups(host); err != nil {
		return err
	}
	if p.engine.folds != nil {
		var settling context.Context
		settling, p.stop = context.WithCancel(context.Background())
		p.settled.Go(func() { p.settling(settling) })
	}
	return nil
}

// Shutdown implements component.Component. It tells the counts of folded spans; besides there is nothing to flush: what is held is
// held by its sender. It waits for linkers and look-ups that have not answered in time.
func (p *linkProcessor) Shutdown(ctx context.Context) error {
	if p.stop != nil {
		p.stop()
		if !done(ctx, p.settled.Wait) {
			return fmt.Errorf("waiting for the counts of folded spans to be taken: %w", ctx.Err())
		}
		p.stop = nil
		if err := p.settle(ctx, 0); err != nil {
			p.logger.Warn("The last counts of folded spans were refused. What is stored tells less.", zap.Error(err))
		}
	}
	p.telemetry.Shutdown()
	if !done(ctx, p.calls.Wait) || p.engine.lookups != nil && !done(ctx, p.engine.lookups.Wait) {
		return fmt.Errorf("waiting for linkers and look-ups: %w", ctx.Err())
	}
	return nil
}

// done waits, and is false if the context ended before.
func done(ctx context.Context, wait func()) bool {
	waited := make(chan struct{})
	go func() {
		wait()
		close(waited)
	}()
	select {
	case <-waited:
		return true
	case <-ctx.Done():
		return false
	}
}

// evaluated counts the evaluation of a rule.
func (p *linkProcessor) evaluated(rule string, outcome links.Outcome, err error) {
	p.telemetry.ProcessorK8slinkRuleEvaluations.Add(context.Background(), 1, metric.WithAttributeSet(
		attribute.NewSet(attribute.String("rule", rule), attribute.String("outcome", string(outcome)))))
	if err == nil {
		return
	}
	level := zap.DebugLevel
	if _, told := p.failed.LoadOrStore(rule, struct{}{}); !told {
		level = zap.WarnLevel
	}
	p.logger.Log(level, "A rule for links failed on an object", zap.String("rule", rule), zap.Error(err))
}

// ConsumeTraces implements consumer.Traces. When the next consumer fails, the batch may come again as it was or as it
// was left: the engine makes the same of both.
func (p *linkProcessor) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	b, err := p.engine.link(ctx, td)
	if err != nil {
		return err
	}
	if err := p.hold(ctx, b); err != nil {
		return err
	}
	if td.ResourceSpans().Len() > 0 || len(b.members) == 0 {
		if err := p.next.ConsumeTraces(ctx, td); err != nil {
			return err
		}
	}
	p.engine.accepted(b)
	p.record(ctx, b)
	b.release()
	return nil
}

func (p *linkProcessor) record(ctx context.Context, b *batch) {
	add := func(counter metric.Int64Counter, n int64, attrs ...attribute.KeyValue) {
		if n > 0 {
			counter.Add(ctx, n, metric.WithAttributes(attrs...))
		}
	}
	t, s, sources := p.telemetry, b.stats, b.forest.Sources()
	add(t.ProcessorK8slinkSpans, s.rehomed, attribute.String("outcome", "rehomed"))
	add(t.ProcessorK8slinkSpans, s.kept, attribute.String("outcome", "kept"))
	add(t.ProcessorK8slinkSpans, s.untouched, attribute.String("outcome", "untouched"))
	add(t.ProcessorK8slinkObjectSpans, s.objectSpans)
	add(t.ProcessorK8slinkLinkSpans, s.linkSpans)
	for result, n := range s.objectLookups {
		add(t.ProcessorK8slinkObjectLookups, n, attribute.String("result", string(result)))
	}
	add(t.ProcessorK8slinkUnreadableObjects, s.unreadable)
	add(t.ProcessorK8slinkOwners, sources[hierarchy.SourceLink], attribute.String("source", "link"))
	add(t.ProcessorK8slinkOwners, sources[hierarchy.SourceBatch], attribute.String("source", "batch"))
	add(t.ProcessorK8slinkOwners, sources[hierarchy.SourceCache], attribute.String("source", "cache"))
	add(t.ProcessorK8slinkOwners, sources[hierarchy.SourceWatch], attribute.String("source", "watch"))
	add(t.ProcessorK8slinkOwners, sources[hierarchy.SourceLookup], attribute.String("source", "lookup"))
	add(t.ProcessorK8slinkOwners, sources[hierarchy.SourceNone], attribute.String("source", "none"))
	add(t.ProcessorK8slinkOwners, sources[hierarchy.SourceUnknown], attribute.String("source", "unknown"))
	add(t.ProcessorK8slinkChainsCut, s.cutByCycle, attribute.String("reason", "cycle"))
	add(t.ProcessorK8slinkChainsCut, s.cutByDepth, attribute.String("reason", "depth"))
	add(t.ProcessorK8slinkMalformedOwners, s.malformedOwners)
	add(t.ProcessorK8slinkJoins, s.joins.exact, attribute.String("result", "exact"))
	add(t.ProcessorK8slinkJoins, s.joins.inferred, attribute.String("result", "inferred"))
	add(t.ProcessorK8slinkJoins, s.joins.ambiguous, attribute.String("result", "ambiguous"))
	add(t.ProcessorK8slinkJoins, s.joins.late, attribute.String("result", "late"))
	add(t.ProcessorK8slinkJoinsSpared, s.joins.spared)
	add(t.ProcessorK8slinkFoldedSpans, s.folded)
	add(t.ProcessorK8slinkMisplacedOwners, b.forest.Misplaced())
	if b.finder != nil && b.finder.Spent() > 0 {
		t.ProcessorK8slinkLookupDuration.Record(ctx, b.finder.Spent().Seconds())
	}
}

// observe registers what is read off the tables when somebody collects metrics.
func (p *linkProcessor) observe() error {
	err := p.telemetry.RegisterProcessorK8slinkObjectsCachedCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(p.engine.knowledge.Stats().Objects)
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.observeJoins(); err != nil {
		return err
	}
	err = p.telemetry.RegisterProcessorK8slinkLinksCachedCallback(func(_ context.Context, o metric.Int64Observer) error {
		objects, _ := p.engine.profiles.stats()
		o.Observe(objects)
		return nil
	})
	if err != nil {
		return err
	}
	return p.telemetry.RegisterProcessorK8slinkEvictionsCallback(func(_ context.Context, o metric.Int64Observer) error {
		stats := p.engine.knowledge.Stats()
		_, links := p.engine.profiles.stats()
		tables := map[string]int64{
			"objects": stats.EvictedObjects, "deleted_objects": stats.EvictedDeleted, "types": stats.EvictedTypes,
			"object_spans": p.engine.sent.evictions(), "links": links, "link_spans": p.engine.sentLinks.evictions(),
		}
		if p.engine.folds != nil {
			tables["folds"] = p.engine.folds.Evictions()
		}
		if p.engine.lookups != nil {
			tables["failed_lookups"] = p.engine.lookups.Evictions()
		}
		for table, n := range tables {
			o.Observe(n, metric.WithAttributes(attribute.String("table", table)))
		}
		return nil
	})
}

func (p *linkProcessor) observeJoins() error {
	if p.engine.joins == nil {
		return nil
	}
	err := p.telemetry.RegisterProcessorK8slinkJoinsSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(p.engine.joins.Stats().Size)
		return nil
	})
	if err != nil {
		return err
	}
	return p.telemetry.RegisterProcessorK8slinkJoinsForgottenCallback(func(_ context.Context, o metric.Int64Observer) error {
		stats := p.engine.joins.Stats()
		o.Observe(stats.Expired, metric.WithAttributes(attribute.String("cause", "expired")))
		o.Observe(stats.Evicted, metric.WithAttributes(attribute.String("cause", "evicted")))
		return nil
	})
}
