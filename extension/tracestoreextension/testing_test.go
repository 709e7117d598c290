// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/metadata"
)

// host remembers the statuses that are reported to it.
type host struct {
	component.Host
	mu       sync.Mutex
	statuses []componentstatus.Status
}

func newHost() *host { return &host{Host: componenttest.NewNopHost()} }

// Report implements componentstatus.Reporter.
func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses = append(h.statuses, event.Status())
}

func (h *host) reported() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]componentstatus.Status(nil), h.statuses...)
}

func testConfig(t *testing.T) *Config {
	t.Helper()
	config := createDefaultConfig().(*Config)
	config.Directory = t.TempDir()
	config.GRPC.NetAddr.Endpoint = "127.0.0.1:0"
	config.MinFree = 0
	config.Memory = MemoryConfig{WriteBuffer: minWriteBuffer, ReadCache: minReadCache}
	return config
}

// start starts an extension with its metrics going to tel.
func start(t *testing.T, config *Config, tel *componenttest.Telemetry, h component.Host) *storeExtension {
	t.Helper()
	set := extensiontest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	e := newExtension(config, set)
	require.NoError(t, e.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.WithoutCancel(t.Context()))) })
	return e
}

func newTelemetryOf(t *testing.T) *componenttest.Telemetry {
	t.Helper()
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	return tel
}

func dial(t *testing.T, e *storeExtension) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(e.open.listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// oneTrace has n spans, of which the first is the root.
func oneTrace(id byte, n int) ptrace.Traces {
	td := ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "prod")
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		span := spans.AppendEmpty()
		span.SetTraceID(pcommon.TraceID{id})
		span.SetSpanID(pcommon.SpanID{id, byte(i >> 8), byte(i), 1})
		if i > 0 {
			span.SetParentSpanID(pcommon.SpanID{id, 0, 0, 1})
		}
		span.SetName("patch")
		span.SetStartTimestamp(1_772_625_600_000_000_000)
		span.SetEndTimestamp(1_772_625_601_000_000_000)
	}
	return td
}
