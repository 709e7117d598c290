// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/metadata"
	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/metadatatest"
	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// TestWhatIsExportedIsRead over gRPC by Jaeger's API, and in the process; and still after a restart.
func TestWhatIsExportedIsRead(t *testing.T) {
	config, tel := testConfig(t), newTelemetryOf(t)
	first := start(t, config, tel, newHost())
	conn := dial(t, first)
	response, err := ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(oneTrace(1, 2000)))
	require.NoError(t, err)
	assert.Zero(t, response.PartialSuccess().RejectedSpans())

	remote, local := jaegerstorage.NewClient(conn), first.JaegerStorage()
	for _, reader := range []jaegerstorage.Reader{remote, local} {
		services, err := reader.Services(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"prod"}, services)
		operations, err := reader.Operations(t.Context(), "prod", "")
		require.NoError(t, err)
		assert.Equal(t, []jaegerstorage.Operation{{Name: "patch"}}, operations)
		dependencies, err := reader.Dependencies(t.Context(), time.Now(), time.Hour)
		require.NoError(t, err)
		assert.Empty(t, dependencies)
		assert.Equal(t, 2000, count2000(t, reader))
		query := jaegerstorage.NewQuery()
		query.Service, query.Limit = "prod", 10
		found := 0
		for td, err := range reader.FindTraces(t.Context(), query) {
			require.NoError(t, err)
			found += td.SpanCount()
		}
		assert.Equal(t, 2000, found)
		for summaries, err := range reader.FindTraceSummaries(t.Context(), query) {
			require.NoError(t, err)
			assert.Equal(t, 2000, summaries[0].Spans)
			assert.Equal(t, "patch", summaries[0].RootOperation)
		}
	}
	metadatatest.AssertEqualExtensionTraceStoreSpans(t, tel, []metricdata.DataPoint[int64]{
		{Value: 2000, Attributes: attribute.NewSet(attribute.String("result", "stored"))},
		{Value: 0, Attributes: attribute.NewSet(attribute.String("result", "invalid"))},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExtensionTraceStoreHours(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

	require.NoError(t, first.Shutdown(t.Context()))
	second := start(t, config, tel, newHost())
	assert.Equal(t, 2000, count2000(t, second.JaegerStorage()))
}

// count2000 is how many spans the trace has that tests write.
func count2000(t *testing.T, reader jaegerstorage.Reader) int {
	t.Helper()
	n := 0
	for td, err := range reader.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: pcommon.TraceID{1}}}) {
		require.NoError(t, err)
		n += td.SpanCount()
	}
	return n
}

// TestAnExporterIsToldWhatToDo: try again when there is no space, and what was wrong with some spans.
func TestAnExporterIsToldWhatToDo(t *testing.T) {
	config, tel, h := testConfig(t), newTelemetryOf(t), newHost()
	e := start(t, config, tel, h)
	spans := oneTrace(1, 2)
	spans.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).SetTraceID(pcommon.TraceID{})
	response, err := ptraceotlp.NewGRPCClient(dial(t, e)).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(spans))
	require.NoError(t, err)
	assert.EqualValues(t, 1, response.PartialSuccess().RejectedSpans())
	assert.Equal(t, "1 spans have no trace ID or no span ID", response.PartialSuccess().ErrorMessage())

	config = testConfig(t)
	config.MinFree = 1 << 62
	full := start(t, config, tel, h)
	_, err = ptraceotlp.NewGRPCClient(dial(t, full)).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(oneTrace(1, 1)))
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	require.ErrorContains(t, err, "must stay free")
	require.Len(t, status.Convert(err).Details(), 1)
	assert.Equal(t, retryDelay, status.Convert(err).Details()[0].(*errdetails.RetryInfo).RetryDelay.AsDuration())
	assert.Contains(t, h.reported(), componentstatus.StatusRecoverableError)
	assert.Equal(t, codes.Unavailable, status.Code(writeStatus(errors.New("another"))))
	metadatatest.AssertEqualExtensionTraceStoreExports(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("outcome", "stored"))},
		{Value: 1, Attributes: attribute.NewSet(attribute.String("outcome", "full"))},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestHealthIsReported(t *testing.T) {
	h := newHost()
	telemetry := &telemetry{host: h}
	telemetry.Health(spanstore.ErrFull)
	telemetry.Health(nil)
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, h.reported())
}

func TestShutdownIsSafeAtAnyTime(t *testing.T) {
	e := newExtension(testConfig(t), extensiontest.NewNopSettings(metadata.Type))
	require.NoError(t, e.Shutdown(t.Context()), "before Start")
	for _, err := range e.JaegerStorage().GetTraces(t.Context(), nil) {
		require.ErrorIs(t, err, errNotOpen)
	}
	_, err := e.JaegerStorage().Services(t.Context())
	require.ErrorIs(t, err, errNotOpen)
	_, err = e.JaegerStorage().Operations(t.Context(), "", "")
	require.ErrorIs(t, err, errNotOpen)
	_, err = e.JaegerStorage().Dependencies(t.Context(), time.Time{}, 0)
	require.ErrorIs(t, err, errNotOpen)
	require.NoError(t, e.Start(t.Context(), newHost()))
	require.Error(t, e.Start(t.Context(), newHost()))
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()), "twice")
}

// TestAFailedStartLeavesNothing, neither a lock nor a goroutine.
func TestAFailedStartLeavesNothing(t *testing.T) {
	config := testConfig(t)
	taken := start(t, testConfig(t), newTelemetryOf(t), newHost())
	config.GRPC.NetAddr.Endpoint = taken.open.listener.Addr().String()
	e := newExtension(config, extensiontest.NewNopSettings(metadata.Type))
	require.ErrorContains(t, e.Start(t.Context(), newHost()), "grpc:")
	config.GRPC.NetAddr.Endpoint = "127.0.0.1:0"
	require.NoError(t, e.Start(t.Context(), newHost()))
	second := newExtension(config, extensiontest.NewNopSettings(metadata.Type))
	require.ErrorIs(t, second.Start(t.Context(), newHost()), spanstore.ErrInUse)
	require.NoError(t, e.Shutdown(t.Context()))
}
