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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// retryDelay is when one who was refused should try again.
const retryDelay = 5 * time.Second

// serve registers OTLP for writing, which is how Jaeger writes to a storage too, and Jaeger's storage API for reading.
func serve(o *openStore) {
	ptraceotlp.RegisterGRPCServer(o.server, &writer{store: o.store, telemetry: o.telemetry})
	jaegerstorage.Register(o.server, counted{o.store, o.telemetry}, jaegerstorage.Capabilities{WithoutServiceName: true, SameSpanConjunction: true})
}

// writer is OTLP's TraceService.
type writer struct {
	ptraceotlp.UnimplementedGRPCServer
	store     *spanstore.Store
	telemetry *telemetry
}

// Export implements ptraceotlp.GRPCServer. It answers when the spans are on disk.
func (w *writer) Export(ctx context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	response := ptraceotlp.NewExportResponse()
	written, err := w.store.Write(request.Traces())
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
	if !errors.Is(err, spanstore.ErrFull) {
		return status.Error(codes.Unavailable, err.Error())
	}
	full := status.New(codes.ResourceExhausted, err.Error())
	if with, detailErr := full.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryDelay)}); detailErr == nil {
		full = with
	}
	return full.Err()
}
