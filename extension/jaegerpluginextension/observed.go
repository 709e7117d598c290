// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"context"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// The values of the attribute call, as in metadata.yaml.
const (
	callGetTraces    = "get_traces"
	callFindTraces   = "find_traces"
	callSummaries    = "find_trace_summaries"
	callServices     = "services"
	callOperations   = "operations"
	callDependencies = "dependencies"
)

// observed is a storage whose answers are told to somebody.
type observed struct {
	storage jaegerstorage.Reader
	tell    func(ctx context.Context, call string, spans int, took time.Duration, err error)
}

var _ jaegerstorage.Reader = (*observed)(nil)

func (o *observed) GetTraces(ctx context.Context, params []jaegerstorage.TraceParams) iter.Seq2[ptrace.Traces, error] {
	return observe(ctx, o, callGetTraces, ptrace.Traces.SpanCount, o.storage.GetTraces(ctx, params))
}

func (o *observed) FindTraces(ctx context.Context, query jaegerstorage.Query) iter.Seq2[ptrace.Traces, error] {
	return observe(ctx, o, callFindTraces, ptrace.Traces.SpanCount, o.storage.FindTraces(ctx, query))
}

func (o *observed) FindTraceSummaries(ctx context.Context, query jaegerstorage.Query) iter.Seq2[[]jaegerstorage.Summary, error] {
	none := func([]jaegerstorage.Summary) int { return 0 }
	return observe(ctx, o, callSummaries, none, o.storage.FindTraceSummaries(ctx, query))
}

func (o *observed) Services(ctx context.Context) (services []string, err error) {
	defer o.since(ctx, callServices, time.Now(), &err)
	return o.storage.Services(ctx)
}

func (o *observed) Operations(ctx context.Context, service, spanKind string) (operations []jaegerstorage.Operation, err error) {
	defer o.since(ctx, callOperations, time.Now(), &err)
	return o.storage.Operations(ctx, service, spanKind)
}

func (o *observed) Dependencies(ctx context.Context, end time.Time, lookback time.Duration) (dependencies []jaegerstorage.Dependency, err error) {
	defer o.since(ctx, callDependencies, time.Now(), &err)
	return o.storage.Dependencies(ctx, end, lookback)
}

func (o *observed) since(ctx context.Context, call string, start time.Time, err *error) {
	o.tell(ctx, call, 0, time.Since(start), *err)
}

func observe[T any](ctx context.Context, o *observed, call string, spansOf func(T) int, chunks iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		start, spans := time.Now(), 0
		var failure error
		defer func() { o.tell(ctx, call, spans, time.Since(start), failure) }()
		for chunk, err := range chunks {
			if failure = err; err == nil {
				spans += spansOf(chunk)
			}
			if !yield(chunk, err) {
				return
			}
		}
	}
}

// isAnswer is true of an error that says nothing of how the storage is.
func isAnswer(outcome plugin.Outcome) bool {
	return outcome == plugin.OutcomeOK || outcome == plugin.OutcomeInvalid
}
