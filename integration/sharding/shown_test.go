// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package sharding

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// shown returns how often Jaeger's page shows each request to an object in the namespaces, when all that came to the sink, in its order and as
// often, has been stored.
func (s *sink) shown(t *testing.T, namespaces int) map[string]int {
	t.Helper()
	plugin, otlp := testbed.FreeAddress(t), testbed.FreeAddress(t)
	collector.ForTest(t, collector.Options{
		Root: root, Config: filepath.Join("integration", "sharding", "testdata", "shown.yaml"),
		Env: []string{"TRACES=" + t.TempDir(), "STORE=" + testbed.FreeAddress(t), "PLUGIN=" + plugin, "OTLP=" + otlp},
	})
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{RemoteStorage: plugin})

	conn, err := grpc.NewClient(otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { assert.NoError(t, conn.Close()) }()
	for _, td := range s.all() {
		response, err := ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
		require.NoError(t, err)
		require.Zero(t, response.PartialSuccess().RejectedSpans())
	}

	times := map[string]int{}
	for n := range namespaces {
		views, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
			Service: "tree", Operation: "prod", Tags: map[string]string{"namespace": fmt.Sprintf("ns-%d", n)},
		})
		require.NoError(t, err)
		require.Len(t, views, 10, "a Deployment, its ReplicaSet and eight Pods")
		for _, view := range views {
			for _, span := range view.Spans {
				assert.Empty(t, span.Warnings)
				if id, ok := span.Tags[attr.AuditID].(string); ok {
					times[id]++
				}
			}
		}
	}
	return times
}
