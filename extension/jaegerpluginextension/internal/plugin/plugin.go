// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/search"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// Plugin makes views of what a storage has. It is safe for concurrent use.
type Plugin struct {
	Storage  jaegerstorage.Reader
	Clusters func(context.Context) ([]string, error)
	Modes    *mode.Set
	Collect  *collect.Collector
	Search   *search.Finder
	// Limits bound a view.
	Limits view.Limits
	// Lookback is how far to search where no start is given.
	Lookback time.Duration
	// MaxResults bounds what one search returns.
	MaxResults int
	// Concurrency of the views that are made for one search.
	Concurrency int
	// Slots bounds how many requests are worked on at a time, and Sending how many have results that their clients are taking; both
	// together bound the memory.
	Slots, Sending chan struct{}
	// Timeout bounds the work on a request.
	Timeout time.Duration
	// Observe is told of each request when it is over.
	Observe func(ctx context.Context, kind Kind, outcome Outcome, took time.Duration)

	notes notes // that searches have returned
}

// Kind is what was asked for.
type Kind string

// The kinds of requests.
const (
	KindView       Kind = "view"
	KindRaw        Kind = "raw"
	KindSearch     Kind = "search"
	KindSummaries  Kind = "summaries"
	KindServices   Kind = "services"
	KindOperations Kind = "operations"
)

// Outcome is how a request ended.
type Outcome string

// The outcomes of requests.
const (
	OutcomeOK       Outcome = "ok"
	OutcomeNotFound Outcome = "not_found"
	OutcomeInvalid  Outcome = "invalid"
	OutcomeTimeout  Outcome = "timeout"
	OutcomeCanceled Outcome = "canceled"
	OutcomeFailed   Outcome = "failed"
)

// OutcomeOf is how a request with that error ended.
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OutcomeOK
	case errors.Is(err, collect.ErrNotFound):
		return OutcomeNotFound
	case errors.Is(err, jaegerstorage.ErrInvalid):
		return OutcomeInvalid
	case errors.Is(err, context.DeadlineExceeded):
		return OutcomeTimeout
	case errors.Is(err, context.Canceled):
		return OutcomeCanceled
	default:
		return OutcomeFailed
	}
}

var _ jaegerstorage.Reader = (*Plugin)(nil)

// Services implements jaegerstorage.Reader: the display modes, the default first.
func (p *Plugin) Services(ctx context.Context) ([]string, error) {
	var names []string
	for _, m := range p.Modes.List() {
		names = append(names, m.Name)
	}
	p.Observe(ctx, KindServices, OutcomeOK, 0)
	return names, nil
}

// Operations implements jaegerstorage.Reader: the clusters, for every mode. They have the kind of all spans of views, because
// Jaeger's page shows an error in place of operations that have none.
func (p *Plugin) Operations(ctx context.Context, _, _ string) (operations []jaegerstorage.Operation, err error) {
	r, err := p.begin(ctx, KindOperations)
	if err != nil {
		return nil, err
	}
	defer func() { r.end(err) }()
	clusters, err := p.Clusters(r)
	if err != nil {
		return nil, fmt.Errorf("list the clusters: %w", err)
	}
	for _, cluster := range clusters {
		operations = append(operations, jaegerstorage.Operation{Name: cluster, SpanKind: "internal"})
	}
	return operations, nil
}

// Dependencies implements jaegerstorage.Reader: display modes do not call each other.
func (p *Plugin) Dependencies(context.Context, time.Time, time.Duration) ([]jaegerstorage.Dependency, error) {
	return nil, nil
}

// GetTraces implements jaegerstorage.Reader: views for display IDs, and stored traces for all others.
func (p *Plugin) GetTraces(ctx context.Context, params []jaegerstorage.TraceParams) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) {
		for _, param := range params {
			if td, ok := p.notes.get(param.TraceID); ok {
				if !yield(td, nil) {
					return
				}
				continue
			}
			more := true
			err := collect.ErrNotFound
			if v, ok := p.named(param.TraceID); ok {
				err = p.View(ctx, v, func(td ptrace.Traces) { more = yield(td, nil) })
			}
			switch {
			case errors.Is(err, collect.ErrNotFound):
				more = p.raw(ctx, param, yield)
			case err != nil:
				yield(ptrace.Traces{}, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// raw passes a stored trace on as it is.
func (p *Plugin) raw(ctx context.Context, param jaegerstorage.TraceParams, yield func(ptrace.Traces, error) bool) (more bool) {
	r, err := p.begin(ctx, KindRaw)
	if err != nil {
		yield(ptrace.Traces{}, err)
		return false
	}
	more, err = true, collect.ErrNotFound
	defer func() { r.end(err) }()
	for td, failure := range p.Storage.GetTraces(r, []jaegerstorage.TraceParams{param}) {
		if err = failure; err == nil {
			err = r.send(func() { more = yield(td, nil) })
		}
		if err == nil && more {
			err = r.work()
		}
		if err != nil {
			yield(ptrace.Traces{}, err)
			return false
		}
		if !more {
			return false
		}
	}
	return true
}

// named is the view that a display ID names. It is false of all other IDs.
func (p *Plugin) named(id pcommon.TraceID) (v View, ok bool) {
	if v.Display, ok = identity.ParseDisplay(id); ok {
		v.Mode, ok = p.Modes.ByID(v.Display.Mode)
	}
	return v, ok
}

// View says what to show.
type View struct {
	Mode    mode.Mode
	Display identity.Display
	// Cluster is where the object is. Empty if that is not known.
	Cluster string
}

// View makes a view of what the storage has now, and hands it to send. Without an error, send was called. The error is
// collect.ErrNotFound if there is nothing to show.
func (p *Plugin) View(ctx context.Context, v View, send func(ptrace.Traces)) (err error) {
	r, err := p.begin(ctx, KindView)
	if err != nil {
		return err
	}
	defer func() { r.end(err) }()
	td, err := p.view(r, v)
	if err != nil {
		return err
	}
	return r.send(func() { send(td) })
}

func (p *Plugin) view(ctx context.Context, v View) (ptrace.Traces, error) {
	graph, err := p.Collect.Collect(ctx, collect.Request{
		Object: v.Display.Object, Cluster: v.Cluster, Start: v.Display.Start(), End: v.Display.End(), Mode: v.Mode,
	})
	if err != nil {
		return ptrace.Traces{}, err
	}
	return p.render(graph, v), nil
}

// render shows what a graph has.
func (p *Plugin) render(graph *model.Graph, v View) ptrace.Traces {
	return view.Render(graph, v.Display.Object, v.Mode, view.Options{
		TraceID: v.Display.TraceID(), From: v.Display.Start(), To: v.Display.End(), Limits: p.Limits,
		DisplayID: func(object identity.ID) pcommon.TraceID {
			d := v.Display
			d.Object = object
			return d.TraceID()
		},
	})
}

// ClustersOf returns a function that lists the services of a storage that are clusters: those of only, or all.
func ClustersOf(storage jaegerstorage.Reader, only []string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		if len(only) > 0 {
			return only, nil
		}
		services, err := storage.Services(ctx)
		if err != nil {
			return nil, err
		}
		services = slices.Clone(services)
		slices.Sort(services)
		return slices.Compact(services), nil
	}
}
