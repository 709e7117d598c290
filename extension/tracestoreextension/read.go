// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension // import "github.com/kelemetry/kelemetry/extension/tracestoreextension"

import (
	"context"
	"errors"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// errNotOpen is what readers in the same process get before Start and after Shutdown.
var errNotOpen = errors.New("trace_store is not open: list it in service::extensions, before those that read from it")

// counted is the store, with each request that it answers counted.
type counted struct {
	jaegerstorage.Reader
	telemetry *telemetry
}

func (c counted) GetTraces(ctx context.Context, params []jaegerstorage.TraceParams) iter.Seq2[ptrace.Traces, error] {
	return count(ctx, c.telemetry, "get_traces", c.Reader.GetTraces(ctx, params))
}

func (c counted) FindTraces(ctx context.Context, query jaegerstorage.Query) iter.Seq2[ptrace.Traces, error] {
	return count(ctx, c.telemetry, "find_traces", c.Reader.FindTraces(ctx, query))
}

func (c counted) FindTraceSummaries(ctx context.Context, query jaegerstorage.Query) iter.Seq2[[]jaegerstorage.Summary, error] {
	return count(ctx, c.telemetry, "find_trace_summaries", c.Reader.FindTraceSummaries(ctx, query))
}

// count measures from the start of a request to the end of its answer, the time that its consumer takes included.
func count[T any](ctx context.Context, t *telemetry, operation string, answer iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var failed error
		start := time.Now()
		defer func() { t.read(ctx, operation, time.Since(start), failed) }()
		for value, err := range answer {
			failed = err
			if !yield(value, err) {
				return
			}
		}
	}
}

// inProcess is the store for other components of the process, whenever they ask.
type inProcess struct{ *storeExtension }

func (p inProcess) reader() (jaegerstorage.Reader, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.open == nil {
		return nil, errNotOpen
	}
	return counted{p.open.store, p.open.telemetry}, nil
}

func (p inProcess) GetTraces(ctx context.Context, params []jaegerstorage.TraceParams) iter.Seq2[ptrace.Traces, error] {
	return ask(p, func(r jaegerstorage.Reader) iter.Seq2[ptrace.Traces, error] { return r.GetTraces(ctx, params) })
}

func (p inProcess) FindTraces(ctx context.Context, query jaegerstorage.Query) iter.Seq2[ptrace.Traces, error] {
	return ask(p, func(r jaegerstorage.Reader) iter.Seq2[ptrace.Traces, error] { return r.FindTraces(ctx, query) })
}

func (p inProcess) FindTraceSummaries(ctx context.Context, query jaegerstorage.Query) iter.Seq2[[]jaegerstorage.Summary, error] {
	return ask(p, func(r jaegerstorage.Reader) iter.Seq2[[]jaegerstorage.Summary, error] {
		return r.FindTraceSummaries(ctx, query)
	})
}

func (p inProcess) Services(ctx context.Context) ([]string, error) {
	r, err := p.reader()
	if err != nil {
		return nil, err
	}
	return r.Services(ctx)
}

func (p inProcess) Operations(ctx context.Context, service, spanKind string) ([]jaegerstorage.Operation, error) {
	r, err := p.reader()
	if err != nil {
		return nil, err
	}
	return r.Operations(ctx, service, spanKind)
}

func (p inProcess) Dependencies(ctx context.Context, end time.Time, lookback time.Duration) ([]jaegerstorage.Dependency, error) {
	r, err := p.reader()
	if err != nil {
		return nil, err
	}
	return r.Dependencies(ctx, end, lookback)
}

func ask[T any](p inProcess, answer func(jaegerstorage.Reader) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r, err := p.reader()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		answer(r)(yield)
	}
}
