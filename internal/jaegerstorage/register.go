// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerstorage // import "github.com/kelemetry/kelemetry/internal/jaegerstorage"

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage/internal/storagev2"
)

// Capabilities is what a storage says it can do.
type Capabilities struct {
	// WithoutServiceName says that a query without a service is answered, for all services.
	WithoutServiceName bool
	// SameSpanConjunction says that all attributes of a query are those of one span, and not of several in a trace.
	SameSpanConjunction bool
}

// ServiceNames are the gRPC services that Register registers, for health checks.
func ServiceNames() []string {
	return []string{
		storagev2.TraceReader_ServiceDesc.ServiceName,
		storagev2.DependencyReader_ServiceDesc.ServiceName,
		storagev2.Capabilities_ServiceDesc.ServiceName,
	}
}

// Register serves a reader to Jaeger. The server translates and no more: a chunk of the reader that is too large for a message becomes
// several, an empty one none.
func Register(server grpc.ServiceRegistrar, reader Reader, capabilities Capabilities) {
	s := &handler{reader: reader, capabilities: capabilities}
	storagev2.RegisterTraceReaderServer(server, s)
	storagev2.RegisterDependencyReaderServer(server, s)
	storagev2.RegisterCapabilitiesServer(server, s)
}

type handler struct {
	storagev2.UnimplementedTraceReaderServer
	storagev2.UnimplementedDependencyReaderServer
	storagev2.UnimplementedCapabilitiesServer

	reader       Reader
	capabilities Capabilities
}

func (s *handler) GetTraces(request *storagev2.GetTracesRequest, stream grpc.ServerStreamingServer[storagev2.TracesData]) error {
	params := make([]TraceParams, len(request.GetQuery()))
	for i, query := range request.GetQuery() {
		if len(query.GetTraceId()) != len(params[i].TraceID) {
			return toStatus(fmt.Errorf("%w: a trace ID has %d bytes, got %d", ErrInvalid, len(params[i].TraceID), len(query.GetTraceId())))
		}
		copy(params[i].TraceID[:], query.GetTraceId())
		params[i].Start, params[i].End = timeFromProto(query.GetStartTime()), timeFromProto(query.GetEndTime())
	}
	return send(stream, s.reader.GetTraces(stream.Context(), params))
}

func (s *handler) FindTraces(request *storagev2.FindTracesRequest, stream grpc.ServerStreamingServer[storagev2.TracesData]) error {
	query, err := queryFromProto(request.GetQuery())
	if err != nil {
		return toStatus(err)
	}
	return send(stream, s.reader.FindTraces(stream.Context(), query))
}

func send(stream grpc.ServerStreamingServer[storagev2.TracesData], found iter.Seq2[ptrace.Traces, error]) error {
	for traces, err := range found {
		if err != nil {
			return toStatus(err)
		}
		for chunk := range chunks(traces, maxChunk) {
			data, err := tracesToProto(chunk)
			if err != nil {
				return toStatus(err)
			}
			if err := stream.Send(data); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxSummaries in a message. One takes some hundred bytes, and rarely some thousand.
const maxSummaries = 200

func (s *handler) FindTraceSummaries(request *storagev2.FindTraceSummariesRequest, stream grpc.ServerStreamingServer[storagev2.FindTraceSummariesResponse]) error {
	query, err := queryFromProto(request.GetQuery())
	if err != nil {
		return toStatus(err)
	}
	for summaries, err := range s.reader.FindTraceSummaries(stream.Context(), query) {
		if err != nil {
			return toStatus(err)
		}
		for len(summaries) > 0 {
			response := &storagev2.FindTraceSummariesResponse{}
			for _, summary := range summaries[:min(len(summaries), maxSummaries)] {
				response.Summaries = append(response.Summaries, summaryToProto(summary))
			}
			if err := stream.Send(response); err != nil {
				return err
			}
			summaries = summaries[len(response.Summaries):]
		}
	}
	return nil
}

func (s *handler) GetServices(ctx context.Context, _ *storagev2.GetServicesRequest) (*storagev2.GetServicesResponse, error) {
	services, err := s.reader.Services(ctx)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &storagev2.GetServicesResponse{}
	for _, service := range services {
		response.Services = append(response.Services, validText(service))
	}
	return response, nil
}

func (s *handler) GetOperations(ctx context.Context, request *storagev2.GetOperationsRequest) (*storagev2.GetOperationsResponse, error) {
	operations, err := s.reader.Operations(ctx, request.GetService(), request.GetSpanKind())
	if err != nil {
		return nil, toStatus(err)
	}
	response := &storagev2.GetOperationsResponse{}
	for _, operation := range operations {
		response.Operations = append(response.Operations, &storagev2.Operation{Name: validText(operation.Name), SpanKind: validText(operation.SpanKind)})
	}
	return response, nil
}

func (s *handler) GetDependencies(ctx context.Context, request *storagev2.GetDependenciesRequest) (*storagev2.GetDependenciesResponse, error) {
	start, end := timeFromProto(request.GetStartTime()), timeFromProto(request.GetEndTime())
	lookback := time.Duration(0)
	if !start.IsZero() && end.After(start) {
		lookback = end.Sub(start)
	}
	dependencies, err := s.reader.Dependencies(ctx, end, lookback)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &storagev2.GetDependenciesResponse{}
	for _, d := range dependencies {
		response.Dependencies = append(response.Dependencies, &storagev2.Dependency{
			Parent: validText(d.Parent), Child: validText(d.Child), CallCount: d.Calls, Source: validText(d.Source),
		})
	}
	return response, nil
}

func (s *handler) GetCapabilities(context.Context, *storagev2.GetCapabilitiesRequest) (*storagev2.GetCapabilitiesResponse, error) {
	return &storagev2.GetCapabilitiesResponse{Search: &storagev2.SearchCapabilities{
		WithoutServiceName:  s.capabilities.WithoutServiceName,
		SameSpanConjunction: s.capabilities.SameSpanConjunction,
	}}, nil
}

// toStatus keeps the code of an error that has one.
func toStatus(err error) error {
	code := status.Code(err)
	switch {
	case errors.Is(err, ErrUnimplemented):
		code = codes.Unimplemented
	case errors.Is(err, ErrInvalid):
		code = codes.InvalidArgument
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	}
	return status.Error(code, err.Error())
}
