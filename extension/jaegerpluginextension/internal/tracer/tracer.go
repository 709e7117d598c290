// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package tracer fetches spans that another tracer has on what happened to an object, such as those of the API server that
// handled a request, and puts them below it.
package tracer // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sync/errgroup"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// Tracer asks another tracer. It is safe for concurrent use.
type Tracer struct {
	Name string
	// Source is where its spans are.
	Source Source
	// Limits bound what is done for one view.
	Limits Limits
}

// Source has the spans of a tracer.
type Source interface {
	// For returns a query for what there is of an entry, up to so many traces. It is false if the entry has nothing to ask by.
	For(entry *model.Entry, traces int) (Query, bool)
}

// Query asks. It ends when the context does, or when nobody wants more.
type Query func(context.Context) iter.Seq2[ptrace.Traces, error]

// Limits bound what is done for one view.
type Limits struct {
	// Queries that are made, for the newest entries.
	Queries int
	// Traces that one query may return.
	Traces int
	// Spans that are read altogether.
	Spans int
	// Concurrency of queries.
	Concurrency int
	// Timeout of all of them together.
	Timeout time.Duration
}

// query is for the spans of one entry.
type query struct {
	ask    Query
	anchor model.Anchor
	at     pcommon.Timestamp
	found  []ptrace.Traces
	spans  int
	err    error
}

// Extend adds to the graph what the tracer has on entries of these objects in the time range. What it does not add is a
// warning of the graph. It returns how many queries were left out or failed.
func (t *Tracer) Extend(ctx context.Context, graph *model.Graph, objects []identity.ID, start, end time.Time) (left int) {
	queries := t.queries(graph, objects, start, end)
	slices.SortFunc(queries, func(a, b *query) int {
		return cmp.Or(cmp.Compare(b.at, a.at), slices.Compare(a.anchor.Span[:], b.anchor.Span[:]))
	})
	if left = len(queries) - t.Limits.Queries; left > 0 {
		graph.Warn(fmt.Sprintf("spans of %s were looked up for the newest %d entries only, and not for %d more", t.Name, t.Limits.Queries, left))
		queries = queries[:t.Limits.Queries]
	}
	left = max(left, 0)
	ctx, cancel := context.WithTimeout(ctx, t.Limits.Timeout)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(t.Limits.Concurrency)
	for _, q := range queries {
		group.Go(func() error {
			t.ask(ctx, q)
			return nil
		})
	}
	_ = group.Wait() // each query has its own error
	failed, spans, cut := 0, 0, 0
	var failure error
	for _, q := range queries {
		if q.err != nil {
			failed++
			failure = q.err
		}
		for _, td := range q.found {
			if spans += td.SpanCount(); spans > t.Limits.Spans {
				cut++
				continue
			}
			graph.Attach(td, q.anchor)
		}
	}
	if failed > 0 {
		graph.Warn(fmt.Sprintf("spans of %s are missing for %d entries: %s", t.Name, failed, reason(failure)))
	}
	if cut > 0 {
		graph.Warn(fmt.Sprintf("some spans of %s are missing, because a view has at most %d of them", t.Name, t.Limits.Spans))
	}
	return left + failed + cut
}

func (t *Tracer) queries(graph *model.Graph, objects []identity.ID, start, end time.Time) (all []*query) {
	from, to := pcommon.NewTimestampFromTime(start), pcommon.NewTimestampFromTime(end)
	for _, id := range objects {
		object, ok := graph.Object(id)
		if !ok {
			continue
		}
		for _, life := range object.Lives {
			for _, entry := range life.Entries {
				if entry.Source == model.Foreign || entry.Start < from || entry.Start >= to {
					continue
				}
				if ask, ok := t.Source.For(entry, t.Limits.Traces); ok {
					all = append(all, &query{ask: ask, anchor: model.Anchor{Object: id, Span: entry.Span.SpanID()}, at: entry.Start})
				}
			}
		}
	}
	return all
}

func (t *Tracer) ask(ctx context.Context, q *query) {
	if q.err = ctx.Err(); q.err != nil {
		return
	}
	for td, err := range q.ask(ctx) {
		if err != nil {
			q.err = err
			return
		}
		q.found = append(q.found, td)
		if q.spans += td.SpanCount(); q.spans > t.Limits.Spans {
			return // which is said when they are added
		}
	}
}
