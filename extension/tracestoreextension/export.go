// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension // import "github.com/kelemetry/kelemetry/extension/tracestoreextension"

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"
)

// retryDelay is when one who was refused should try again.
const retryDelay = 5 * time.Second

// exportMethod is OTLP's only method for traces.
const exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// writer is OTLP's TraceService. It hands the store what came in as it is: to decode it all costs more than to store it.
type writer struct {
	store     *spanstore.Store
	telemetry *telemetry
}

// export answers when the spans are on disk.
func (w *writer) export(ctx context.Context, request []byte) (ptraceotlp.ExportResponse, error) {
	response := ptraceotlp.NewExportResponse()
	written, err := w.store.Write(request)
	w.telemetry.exported(ctx, written, err)
	if err != nil {
		return response, writeStatus(err)
	}
	if written.Invalid > 0 {
		response.PartialSuccess().SetRejectedSpans(int64(written.Invalid))
		response.PartialSuccess().SetErrorMessage(fmt.Sprintf("%d spans have no trace ID or no span ID", written.Invalid))
	}
	return response, nil
}

// writeStatus is what an exporter needs to know: whether to try again. OTLP takes RESOURCE_EXHAUSTED for a reason to do so only if it is told
// when.
func writeStatus(err error) error {
	switch {
	case errors.Is(err, spanstore.ErrMalformed):
		return status.Error(codes.InvalidArgument, err.Error())
	case !errors.Is(err, spanstore.ErrFull):
		return status.Error(codes.Unavailable, err.Error())
	}
	full := status.New(codes.ResourceExhausted, err.Error())
	if with, detailErr := full.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryDelay)}); detailErr == nil {
		full = with
	}
	return full.Err()
}

// traceService describes the service to gRPC.
func (w *writer) traceService() *grpc.ServiceDesc {
	export := func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		request := &encoded{}
		if err := decode(request); err != nil {
			return nil, err
		}
		defer request.free()
		handle := func(ctx context.Context, _ any) (any, error) {
			response, err := w.export(ctx, request.message.ReadOnlyData())
			if err != nil {
				return nil, err
			}
			message, err := response.MarshalProto()
			return &encoded{message: mem.SliceBuffer(message)}, err
		}
		if intercept == nil {
			return handle(ctx, request)
		}
		return intercept(ctx, request, &grpc.UnaryServerInfo{Server: w, FullMethod: exportMethod}, handle)
	}
	return &grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: export}},
		Metadata:    "opentelemetry/proto/collector/trace/v1/trace_service.proto",
	}
}

// encoded is a message that gRPC leaves encoded.
type encoded struct{ message mem.Buffer }

func (e *encoded) free() {
	if e.message != nil {
		e.message.Free()
	}
}

// codec is that of protocol buffers, but leaves alone what is encoded.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	if e, ok := message.(*encoded); ok {
		return mem.BufferSlice{e.message}, nil
	}
	return c.CodecV2.Marshal(message)
}

func (c codec) Unmarshal(data mem.BufferSlice, message any) error {
	if e, ok := message.(*encoded); ok {
		e.message = data.MaterializeToBuffer(mem.DefaultBufferPool())
		return nil
	}
	return c.CodecV2.Unmarshal(data, message)
}
