// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package store

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/kelemetry/kelemetry/extension/tracestoreextension"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// TestJaegerReadsFromTheStore: a released Jaeger with trace_store as its remote storage lists, finds and opens what OTLP put there.
func TestJaegerReadsFromTheStore(t *testing.T) {
	address := startStore(t)
	spans := recordedSpans(t)
	export(t, address, spans)
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{RemoteStorage: address})

	services, err := jaeger.Query.Services(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"recorded"}, services)

	rollout, object := rootOf(t, spans, "deployments/demo")
	want := 0
	for _, td := range spans {
		for _, s := range all(td) {
			if s.TraceID() == rollout.TraceID() {
				want++
			}
		}
	}
	opened, err := jaeger.Query.Trace(t.Context(), rollout.TraceID().String())
	require.NoError(t, err)
	assert.Len(t, opened.Spans, want)
	require.Len(t, opened.Roots(), 1)
	assert.Equal(t, "deployments/demo", opened.Roots()[0].Operation)

	at := rollout.StartTimestamp().AsTime()
	for name, query := range map[string]testbed.TraceQuery{
		"by operation":                 {Service: "recorded", Operation: "deployments/demo"},
		"by the object's ID":           {Service: "recorded", Tags: map[string]string{attr.ObjectID: object}},
		"by a tag that is not indexed": {Service: "recorded", Operation: "deployments/demo", Tags: map[string]string{attr.SpanType: attr.SpanTypeObject}},
	} {
		t.Run(name, func(t *testing.T) {
			query.Start = at.Add(-time.Hour)
			found, err := jaeger.Query.FindTraces(t.Context(), query)
			require.NoError(t, err)
			require.Len(t, found, 1)
			assert.Equal(t, opened.ID, found[0].ID)
			assert.Len(t, found[0].Spans, want)
		})
	}
	none, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
		Service: "recorded", Start: at.Add(-time.Hour), Tags: map[string]string{attr.UserName: "nobody"},
	})
	require.NoError(t, err)
	assert.Empty(t, none)

	// Jaeger writes to its storage by OTLP, too: what it takes ends in the store.
	written := ptrace.NewTraces()
	spans[0].CopyTo(written)
	for _, resource := range written.ResourceSpans().All() {
		resource.Resource().Attributes().PutStr("service.name", "by way of Jaeger")
	}
	export(t, jaeger.OTLPGRPC, []ptrace.Traces{written})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		services, err := jaeger.Query.Services(t.Context())
		assert.NoError(c, err)
		assert.Contains(c, services, "by way of Jaeger")
	}, time.Minute, 100*time.Millisecond)
}

// startStore starts the extension and returns the address that it listens at.
func startStore(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	factory := tracestoreextension.NewFactory()
	config := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"directory": t.TempDir(), "grpc": map[string]any{"endpoint": address},
	}).Unmarshal(config))
	store, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), config)
	require.NoError(t, err)
	require.NoError(t, store.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = store.Shutdown(ctx)
	})
	return address
}

func export(t *testing.T, address string, spans []ptrace.Traces) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	for _, td := range spans {
		response, err := ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
		require.NoError(t, err)
		require.Zero(t, response.PartialSuccess().RejectedSpans())
	}
}

// rootOf returns the span of the object that is a root by this name, and the object's ID.
func rootOf(t *testing.T, spans []ptrace.Traces, name string) (ptrace.Span, string) {
	t.Helper()
	for _, td := range spans {
		for _, resource := range td.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					if span.Name() == name && span.ParentSpanID().IsEmpty() {
						id, ok := resource.Resource().Attributes().Get(attr.ObjectID)
						require.True(t, ok)
						return span, id.Str()
					}
				}
			}
		}
	}
	require.Fail(t, "no root", name)
	return ptrace.Span{}, ""
}

func all(td ptrace.Traces) (spans []ptrace.Span) {
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				spans = append(spans, span)
			}
		}
	}
	return spans
}
