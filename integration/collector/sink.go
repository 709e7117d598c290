// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // the exporter compresses
)

// Sink takes OTLP and counts spans.
type Sink struct {
	ptraceotlp.UnimplementedGRPCServer
	// Address is where it listens.
	Address string
	spans   atomic.Int64
}

// Spans returns how many have come.
func (s *Sink) Spans() int64 { return s.spans.Load() }

// Export implements ptraceotlp.GRPCServer.
func (s *Sink) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.spans.Add(int64(request.Traces().SpanCount()))
	return ptraceotlp.NewExportResponse(), nil
}

// SinkForTest starts a sink, which ends with the test.
func SinkForTest(tb testing.TB) *Sink {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Sink{Address: listener.Addr().String()}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ptraceotlp.RegisterGRPCServer(server, s)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	tb.Cleanup(func() {
		server.Stop()
		<-ended
	})
	return s
}
