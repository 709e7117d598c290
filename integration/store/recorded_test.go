// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver"
)

const (
	root    = "../.."
	fixture = root + "/extension/tracestoreextension/internal/spanstore/testdata/recorded.otlp.gz"
)

var update = flag.Bool("update", false, "make the recorded spans of spanstore's benchmarks anew")

func TestRecordedSpans(t *testing.T) {
	spans := recordedSpans(t)
	require.NotEmpty(t, spans)
	if !*update {
		return
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	require.NoError(t, err)
	for _, td := range spans {
		encoded, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		require.NoError(t, err)
		_, err = zip.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(encoded))), encoded...))
		require.NoError(t, err)
	}
	require.NoError(t, zip.Close())
	require.NoError(t, os.WriteFile(fixture, packed.Bytes(), 0o644))
}

// recordedSpans is what auditlog and k8slink make of the recorded audit log, in the batches that they come in.
func recordedSpans(t *testing.T) []ptrace.Traces {
	t.Helper()
	ctx, host, sink := t.Context(), componenttest.NewNopHost(), &consumertest.TracesSink{}
	link := k8slinkprocessor.NewFactory()
	processor, err := link.CreateTraces(ctx, processortest.NewNopSettings(link.Type()), link.CreateDefaultConfig(), sink)
	require.NoError(t, err)
	audit := auditlogreceiver.NewFactory()
	config := audit.CreateDefaultConfig()
	recording, err := filepath.Abs(filepath.Join(root, "integration", "testdata", "recording", "audit.json.gz"))
	require.NoError(t, err)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"files": map[string]any{
		"include": []any{recording}, "cluster": "recorded", "start_at": "beginning",
	}}).Unmarshal(config))
	receiver, err := audit.CreateTraces(ctx, receivertest.NewNopSettings(audit.Type()), config, processor)
	require.NoError(t, err)
	require.NoError(t, processor.Start(ctx, host))
	require.NoError(t, receiver.Start(ctx, host))
	grown, last := time.Now(), 0
	require.Eventually(t, func() bool { // until no more comes
		if n := sink.SpanCount(); n != last {
			grown, last = time.Now(), n
		}
		return last > 0 && time.Since(grown) > time.Second
	}, time.Minute, 50*time.Millisecond)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	require.NoError(t, receiver.Shutdown(ctx))
	require.NoError(t, processor.Shutdown(ctx))
	return sink.AllTraces()
}
