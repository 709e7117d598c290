// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
)

// openLookups finds the extension that look-ups ask.
func (p *linkProcessor) openLookups(host component.Host) error {
	config := p.config.Lookup.Get()
	if config == nil {
		return nil
	}
	clusters, err := kubecluster.Find(host, config.Clusters)
	if err != nil {
		return fmt.Errorf("lookup::clusters: %w", err)
	}
	p.engine.lookups, err = lookup.New(lookup.Settings{
		Timeout: config.Timeout, MaxConcurrent: config.MaxConcurrent, NegativeTTL: config.NegativeTTL,
		MaxRemembered: p.config.MaxObjects, Several: hierarchy.Several(p.config.MultipleOwners),
	}, clusters, p.lookedUp, time.Now)
	return err
}

func (p *linkProcessor) lookedUp(source hierarchy.Source, result lookup.Result) {
	p.telemetry.ProcessorK8slinkLookups.Add(context.Background(), 1, metric.WithAttributes(
		attribute.String("asked", askedNames[source]), attribute.String("result", string(result))))
}

var askedNames = map[hierarchy.Source]string{
	hierarchy.SourceUnknown: "nobody", hierarchy.SourceWatch: "watch", hierarchy.SourceLookup: "kube_clusters",
}

// finder returns what looks up for one batch; nil if nothing does.
func (e *engine) finder() *lookup.Batch {
	if e.lookups == nil {
		return nil
	}
	return e.lookups.Batch()
}

// findAncestors finds the ancestors of all objects of the batch.
func (b *batch) findAncestors(ctx context.Context) {
	b.finder = b.engine.finder()
	var finder hierarchy.Finder // nil, and not a nil pointer
	if b.finder != nil {
		finder = b.finder
	}
	b.engine.knowledge.Complete(ctx, b.forest, finder)
}

// abandoned is why the batch is not worth placing: its sender gave up on it, so answers are missing that the next attempt gets.
// Kafka's receiver does so when a partition goes to another process, which reads the same spans again.
func (b *batch) abandoned() error {
	if b.finder == nil || b.finder.Abandoned() == nil {
		return nil
	}
	return fmt.Errorf("the sender gave up while objects were looked up: %w", b.finder.Abandoned())
}
