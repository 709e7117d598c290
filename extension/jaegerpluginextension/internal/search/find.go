// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package search // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/search"

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sync/errgroup"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Limits bound what one search reads.
type Limits struct {
	// Traces of one cluster.
	Traces int
	// Spans that are read, and kept, altogether.
	Spans int
	// Concurrency of queries.
	Concurrency int
}

// Finder searches a storage. It is safe for concurrent use.
type Finder struct {
	Storage jaegerstorage.Reader
	// Clusters returns the clusters that the storage has.
	Clusters func(context.Context) ([]string, error)
	// Window is the length of the windows that stored traces are cut into.
	Window time.Duration
	Limits Limits
	// LeftOut is told what was left out.
	LeftOut func(ctx context.Context, what string, n int)
}

// Hit is an object that was found.
type Hit struct {
	Object  identity.ID
	Cluster string
	// At is the start of the newest span that matched.
	At pcommon.Timestamp

	entry bool // At is of something that happened, and not of the object's own span
}

// Found is the result of a search.
type Found struct {
	// Hits are the objects, newest first.
	Hits []Hit
	// Graph has the traces that were read for it.
	Graph *model.Graph
	// Complete is true if all traces of the objects were read.
	Complete bool
	// Warnings say what was left out.
	Warnings []string
}

// Find searches. The error is why no cluster could be asked.
func (f *Finder) Find(ctx context.Context, c Criteria) (*Found, error) {
	clusters := []string{c.Cluster}
	if c.Cluster == "" {
		var err error
		if clusters, err = f.Clusters(ctx); err != nil {
			return nil, fmt.Errorf("list the clusters: %w", err)
		}
	}
	r := &reading{
		criteria: c, hits: map[identity.ID]*Hit{},
		found: &Found{Graph: model.NewGraph(model.Limits{MaxSpans: f.Limits.Spans}), Complete: c.Exhaustive()},
		left:  f.Limits.Spans,
	}
	errs := make([]error, len(clusters))
	var group errgroup.Group
	group.SetLimit(f.Limits.Concurrency)
	for i, cluster := range clusters {
		group.Go(func() error {
			errs[i] = f.read(ctx, r, cluster)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	for i, err := range errs {
		if err != nil {
			f.LeftOut(ctx, collect.LeftFailed, 1)
			r.warn(fmt.Sprintf("cluster %s could not be searched: %s", clusters[i], collect.Reason(err)))
		}
	}
	if err := errors.Join(errs...); err != nil && len(r.hits) == 0 {
		return nil, err
	}
	return r.result(), nil
}

// reading is a search under way.
type reading struct {
	criteria Criteria

	mu    sync.Mutex // guards what follows
	hits  map[identity.ID]*Hit
	found *Found
	left  int // spans that may still be read
}

func (f *Finder) read(ctx context.Context, r *reading, cluster string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var counter collect.TraceCounter
	traces := 0
	for td, err := range f.Storage.FindTraces(ctx, r.criteria.query(cluster, f.Window, f.Limits.Traces)) {
		if err != nil {
			return err
		}
		traces = counter.Count(td)
		if !r.take(td, cluster) {
			f.LeftOut(ctx, collect.LeftSpans, 1)
			r.warn(fmt.Sprintf("only a part was searched, because there are more than %d spans: ask for a shorter time range or more tags", f.Limits.Spans))
			break
		}
	}
	if traces >= f.Limits.Traces {
		f.LeftOut(ctx, collect.LeftTraces, 1)
		r.warn(fmt.Sprintf("only %d stored traces of cluster %s were searched, and there may be more: ask for a shorter time range or more tags", traces, cluster))
	}
	return nil
}

func (r *reading) warn(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.Warnings = append(r.found.Warnings, text)
	r.found.Complete = false
}

// take looks through a chunk, and keeps it if there is a hit in it. It reports false when enough was read.
func (r *reading) take(td ptrace.Traces, cluster string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range td.ResourceSpans().All() {
		rest := r.criteria.rest(resource.Resource().Attributes())
		id, ok := objectOf(resource.Resource().Attributes())
		if !ok {
			continue
		}
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if r.criteria.match(span, rest) {
					r.hit(id, cluster, span)
				}
			}
		}
	}
	r.found.Graph.Add(td)
	r.left -= td.SpanCount()
	return r.left > 0
}

// objectOf is the object that a resource is about.
func objectOf(resource pcommon.Map) (identity.ID, bool) {
	if v, ok := resource.Get(attr.ObjectID); ok {
		if id, ok := model.ParseID(v.AsString()); ok {
			return id, true
		}
	}
	named, ok := objectspan.ReadResource(resource)
	return identity.ObjectID(named.Object), ok
}

func (r *reading) hit(id identity.ID, cluster string, span ptrace.Span) {
	entry := true
	if kind, ok := span.Attributes().Get(attr.SpanType); ok {
		entry = kind.AsString() != attr.SpanTypeObject && kind.AsString() != attr.SpanTypeLink
	}
	h, ok := r.hits[id]
	if !ok {
		h = &Hit{Object: id, Cluster: cluster}
		r.hits[id] = h
	}
	if entry && !h.entry {
		h.entry, h.At = true, 0
	}
	if entry == h.entry {
		h.At = max(h.At, span.StartTimestamp())
	}
}

func (r *reading) result() *Found {
	for _, h := range r.hits {
		r.found.Hits = append(r.found.Hits, *h)
	}
	slices.SortFunc(r.found.Hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.At, a.At), bytes.Compare(a.Object[:], b.Object[:]))
	})
	slices.Sort(r.found.Warnings)
	return r.found
}
