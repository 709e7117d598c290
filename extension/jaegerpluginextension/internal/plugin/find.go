// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sync/errgroup"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/search"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// FindTraces implements jaegerstorage.Reader: a view of each object that is found, newest first. What is wrong with a query, or
// with the storage, is said in a trace of its own, because Jaeger's page shows no reason for an error.
func (p *Plugin) FindTraces(ctx context.Context, q jaegerstorage.Query) iter.Seq2[ptrace.Traces, error] {
	return p.find(ctx, q, KindSearch, p.completed)
}

// FindTraceSummaries implements jaegerstorage.Reader. A summary is of what the search itself has read, without what opening
// the view reads in addition.
func (p *Plugin) FindTraceSummaries(ctx context.Context, q jaegerstorage.Query) iter.Seq2[[]jaegerstorage.Summary, error] {
	return func(yield func([]jaegerstorage.Summary, error) bool) {
		var all []jaegerstorage.Summary
		for td, err := range p.find(ctx, q, KindSummaries, asListed) {
			if err != nil {
				yield(nil, err)
				return
			}
			all = append(all, summarize(td))
		}
		if len(all) > 0 {
			yield(all, nil)
		}
	}
}

// result is an object that was found, and its view, made of what the search has read.
type result struct {
	View
	listed ptrace.Traces
}

// find searches, and yields results after they were finished.
func (p *Plugin) find(ctx context.Context, q jaegerstorage.Query, kind Kind, finish func(context.Context, *search.Found, []result) []ptrace.Traces) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) {
		r, err := p.begin(ctx, kind)
		if err != nil {
			yield(p.notes.keep(explain(q, err)), ctx.Err())
			return
		}
		defer func() { r.end(err) }()
		limit := min(q.Limit, p.MaxResults)
		if limit <= 0 {
			limit = p.MaxResults
		}
		var found *search.Found
		var results []result
		found, results, err = p.search(r, q, limit)
		switch {
		case ctx.Err() != nil:
			err = ctx.Err() // nobody is there to read an explanation
			yield(ptrace.Traces{}, err)
			return
		case err != nil:
			r.rest()
			yield(p.notes.keep(explain(q, err)), nil)
			return
		}
		var finished []ptrace.Traces
		if len(found.Warnings) > 0 {
			results = results[:min(len(results), max(limit-1, 1))]
			finished = append(finished, p.notes.keep(note(q, "The search is incomplete", found.Warnings...)))
		}
		for more := true; more && len(results)+len(finished) > 0; finished = nil {
			batch := results[:min(len(results), p.Concurrency)]
			results = results[len(batch):]
			if slow := r.work(); slow == nil {
				finished = append(finished, finish(r, found, batch)...)
			} else {
				finished = append(finished, asListed(r, found, batch)...)
				warnAll(finished, slow)
			}
			if err = r.send(func() { more = yieldAll(finished, yield) }); err != nil {
				yield(ptrace.Traces{}, err)
				return
			}
		}
	}
}

func yieldAll(all []ptrace.Traces, yield func(ptrace.Traces, error) bool) (more bool) {
	for _, td := range all {
		if !yield(td, nil) {
			return false
		}
	}
	return true
}

// search finds objects and lists those that have something to show, as many as asked for.
func (p *Plugin) search(ctx context.Context, q jaegerstorage.Query, limit int) (*search.Found, []result, error) {
	m, err := p.modeOf(q.Service)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", jaegerstorage.ErrInvalid, err)
	}
	criteria, err := search.Parse(q, p.Lookback, time.Now())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", jaegerstorage.ErrInvalid, err)
	}
	found, err := p.Search.Find(ctx, criteria)
	if err != nil {
		return nil, nil, err
	}
	var results []result
	for _, hit := range found.Hits {
		if ctx.Err() != nil {
			found.Warnings = append(found.Warnings, "not all that was found is listed, because it took too long: ask for a shorter time range or more tags")
			break
		}
		d, clipped := identity.NewDisplay(m.ID, hit.Object, criteria.Start, criteria.End)
		if clipped && len(results) == 0 {
			found.Warnings = append(found.Warnings, fmt.Sprintf("a view has a time range of at most %d days: these begin at %s",
				identity.MaxDisplayRange/(24*time.Hour), d.Start().Format(time.RFC3339)))
		}
		v := View{Mode: m, Display: d, Cluster: hit.Cluster}
		listed := p.render(found.Graph, v)
		if !tells(listed) || !lasts(listed, q.DurationMin, q.DurationMax) {
			continue
		}
		if results = append(results, result{v, listed}); len(results) == limit {
			break
		}
	}
	return found, results, nil
}

func (p *Plugin) modeOf(service string) (mode.Mode, error) {
	if service == "" {
		return p.Modes.Default(), nil
	}
	return p.Modes.ByName(service)
}

func asListed(_ context.Context, _ *search.Found, results []result) []ptrace.Traces {
	all := make([]ptrace.Traces, len(results))
	for i, r := range results {
		all[i] = r.listed
	}
	return all
}

// completed reads what a search has not read of its results, side by side.
func (p *Plugin) completed(ctx context.Context, found *search.Found, results []result) []ptrace.Traces {
	all := asListed(ctx, found, results)
	var group errgroup.Group
	for i, r := range results {
		if found.Complete && reachesNoFurther(r.Mode.Scope) {
			continue
		}
		group.Go(func() error {
			switch view, err := p.view(ctx, r.View); {
			case err == nil:
				all[i] = view
			case !errors.Is(err, collect.ErrNotFound):
				warnAll(all[i:i+1], err)
			}
			return nil
		})
	}
	_ = group.Wait() // errors are warnings
	return all
}

func warnAll(results []ptrace.Traces, err error) {
	for _, td := range results {
		warn(td, "only what the search has read is shown, because of a failure to read the rest: "+collect.Reason(err))
	}
}

// reachesNoFurther is true if all that a view shows is in the traces that its object occurs in.
func reachesNoFurther(s mode.Scope) bool {
	return s.Owners == 0 && s.Owned == 0 && s.Links == 0 && len(s.Tracers) == 0
}

// tells is false of a view in which nothing happened.
func tells(td ptrace.Traces) bool {
	root, _ := rootOf(td)
	return td.SpanCount() > 1 || root.Events().Len() > 0
}

// lasts is true of a trace whose root is as long as asked for.
func lasts(td ptrace.Traces, atLeast, atMost time.Duration) bool {
	root, _ := rootOf(td)
	took := root.EndTimestamp().AsTime().Sub(root.StartTimestamp().AsTime())
	return took >= atLeast && (atMost == 0 || took <= atMost)
}
