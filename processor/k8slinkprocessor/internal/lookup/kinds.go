// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// Kinds implements hierarchy.Finder.
func (b *Batch) Kinds(ctx context.Context, wanted []hierarchy.Kind) []hierarchy.Type {
	type call struct {
		kind    hierarchy.Kind
		cluster kubecluster.Cluster
		mapping *meta.RESTMapping
	}
	var calls []*call
	for _, kind := range wanted {
		if b.misses.has(missOfKind(kind), b.now()) {
			continue
		}
		if cluster, err := b.clusters.Cluster(kind.Cluster); err == nil {
			calls = append(calls, &call{kind: kind, cluster: cluster})
		}
	}
	if len(calls) == 0 {
		return nil
	}
	b.spend(ctx, func(ctx context.Context) {
		b.each(ctx, len(calls), func(i int) {
			c := calls[i]
			c.mapping = b.mapping(ctx, c.cluster, c.kind)
		}, func(int) {})
	})
	var types []hierarchy.Type
	for _, c := range calls {
		switch {
		case c.mapping == nil && b.abandoned != nil:
			continue // nobody has said no
		case c.mapping == nil:
			b.misses.add(missOfKind(c.kind), b.now().Add(min(failedTTL, b.settings.NegativeTTL)))
			continue
		}
		types = append(types, hierarchy.Type{
			Kind: c.kind, Resource: c.mapping.Resource.Resource, Namespaced: c.mapping.Scope.Name() == meta.RESTScopeNameNamespace,
		})
	}
	return types
}

// mapping asks a mapper, which may wait for discovery and cannot be stopped, for no longer than the context lasts.
func (l *Lookups) mapping(ctx context.Context, cluster kubecluster.Cluster, kind hierarchy.Kind) *meta.RESTMapping {
	found := make(chan *meta.RESTMapping, 1)
	l.calls.Go(func() {
		mapping, err := cluster.Mapper().RESTMapping(schema.GroupKind{Group: kind.Group, Kind: kind.Kind})
		if err != nil {
			mapping = nil
		}
		found <- mapping
	})
	select {
	case mapping := <-found:
		return mapping
	case <-ctx.Done():
		return nil
	}
}
