// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerstorage // import "github.com/kelemetry/kelemetry/internal/jaegerstorage"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage/internal/storagev2"
)

// NewClient returns a reader of the storage behind a connection, which stays the caller's. The options hold for every call: a storage may
// send larger messages than gRPC takes by itself.
func NewClient(conn grpc.ClientConnInterface, options ...grpc.CallOption) Reader {
	return &client{
		options:      options,
		traces:       storagev2.NewTraceReaderClient(conn),
		dependencies: storagev2.NewDependencyReaderClient(conn),
	}
}

type client struct {
	options      []grpc.CallOption
	traces       storagev2.TraceReaderClient
	dependencies storagev2.DependencyReaderClient
}

func (c *client) GetTraces(ctx context.Context, params []TraceParams) iter.Seq2[ptrace.Traces, error] {
	request := &storagev2.GetTracesRequest{}
	for _, p := range params {
		request.Query = append(request.Query, &storagev2.GetTraceParams{
			TraceId: p.TraceID[:], StartTime: timeToProto(p.Start), EndTime: timeToProto(p.End),
		})
	}
	return receive(ctx, "get traces", tracesChunk, func(ctx context.Context) (grpc.ServerStreamingClient[storagev2.TracesData], error) {
		return c.traces.GetTraces(ctx, request, c.options...)
	})
}

func (c *client) FindTraces(ctx context.Context, query Query) iter.Seq2[ptrace.Traces, error] {
	request := &storagev2.FindTracesRequest{Query: queryToProto(query)}
	return receive(ctx, "find traces", tracesChunk, func(ctx context.Context) (grpc.ServerStreamingClient[storagev2.TracesData], error) {
		return c.traces.FindTraces(ctx, request, c.options...)
	})
}

func (c *client) FindTraceSummaries(ctx context.Context, query Query) iter.Seq2[[]Summary, error] {
	request := &storagev2.FindTraceSummariesRequest{Query: queryToProto(query)}
	return receive(ctx, "find trace summaries", summariesChunk, func(ctx context.Context) (grpc.ServerStreamingClient[storagev2.FindTraceSummariesResponse], error) {
		return c.traces.FindTraceSummaries(ctx, request, c.options...)
	})
}

func (c *client) Services(ctx context.Context) ([]string, error) {
	response, err := c.traces.GetServices(ctx, &storagev2.GetServicesRequest{}, c.options...)
	if err != nil {
		return nil, fromStatus("get services", err)
	}
	return response.GetServices(), nil
}

func (c *client) Operations(ctx context.Context, service, spanKind string) ([]Operation, error) {
	response, err := c.traces.GetOperations(ctx, &storagev2.GetOperationsRequest{Service: service, SpanKind: spanKind}, c.options...)
	if err != nil {
		return nil, fromStatus("get operations", err)
	}
	var operations []Operation
	for _, operation := range response.GetOperations() {
		operations = append(operations, Operation{Name: operation.GetName(), SpanKind: operation.GetSpanKind()})
	}
	return operations, nil
}

func (c *client) Dependencies(ctx context.Context, end time.Time, lookback time.Duration) ([]Dependency, error) {
	request := &storagev2.GetDependenciesRequest{StartTime: timeToProto(end.Add(-lookback)), EndTime: timeToProto(end)}
	response, err := c.dependencies.GetDependencies(ctx, request, c.options...)
	if err != nil {
		return nil, fromStatus("get dependencies", err)
	}
	var dependencies []Dependency
	for _, d := range response.GetDependencies() {
		dependencies = append(dependencies, Dependency{Parent: d.GetParent(), Child: d.GetChild(), Calls: d.GetCallCount(), Source: d.GetSource()})
	}
	return dependencies, nil
}

// tracesChunk says that a chunk without spans is to be skipped: other storages send some.
func tracesChunk(data *storagev2.TracesData) (ptrace.Traces, bool, error) {
	td, err := tracesFromProto(data)
	return td, err != nil || td.SpanCount() > 0, err
}

func summariesChunk(response *storagev2.FindTraceSummariesResponse) ([]Summary, bool, error) {
	summaries := make([]Summary, 0, len(response.GetSummaries()))
	for _, summary := range response.GetSummaries() {
		summaries = append(summaries, summaryFromProto(summary))
	}
	return summaries, len(summaries) > 0, nil
}

// receive yields what a stream sends, for which it is opened anew with each iteration and closed at its end.
func receive[M, C any](ctx context.Context, what string, convert func(*M) (C, bool, error), open func(context.Context) (grpc.ServerStreamingClient[M], error)) iter.Seq2[C, error] {
	return func(yield func(C, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var none C
		stream, err := open(ctx)
		if err != nil {
			yield(none, fromStatus(what, err))
			return
		}
		for {
			message, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(none, fromStatus(what, err))
				return
			}
			chunk, ok, err := convert(message)
			if err != nil {
				yield(none, fmt.Errorf("%s: %w", what, err))
				return
			}
			if ok && !yield(chunk, nil) {
				return
			}
		}
	}
}

// fromStatus is the reverse of toStatus. The gRPC status stays in the chain of errors.
func fromStatus(what string, err error) error {
	switch status.Code(err) {
	case codes.Unimplemented:
		return fmt.Errorf("%s: %w: %w", what, ErrUnimplemented, err)
	case codes.InvalidArgument:
		return fmt.Errorf("%s: %w: %w", what, ErrInvalid, err)
	case codes.Canceled:
		return fmt.Errorf("%s: %w: %w", what, context.Canceled, err)
	case codes.DeadlineExceeded:
		return fmt.Errorf("%s: %w: %w", what, context.DeadlineExceeded, err)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}
