// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// onDisk is what the files below a directory take.
func onDisk(t *testing.T, directory string) (size int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(directory, func(_ string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // a file that was deleted meanwhile
			return nil
		case err != nil:
			return err
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	}))
	return size
}

// TestTheDirectoryKeepsToMaxSize while twice as much and more is written, of which the newest hours stay.
func TestTheDirectoryKeepsToMaxSize(t *testing.T) {
	const hours, spansAnHour, spanSize = 12, 50, 100 << 10
	config, tel := testConfig(t), newTelemetryOf(t)
	config.Retention.MaxAge = 1 << 62
	config.Retention.MaxSize = 20 << 20
	config.Retention.CheckInterval = 50 * time.Millisecond
	e := start(t, config, tel, newHost())
	client := ptraceotlp.NewGRPCClient(dial(t, e))
	random := rand.NewChaCha8([32]byte{1})
	for hour := range hours {
		td := oneTrace(byte(hour+1), spansAnHour)
		for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
			span.SetStartTimestamp(span.StartTimestamp() + pcommon.Timestamp(time.Duration(hour)*time.Hour))
			span.SetEndTimestamp(span.StartTimestamp())
			text := make([]byte, spanSize) // that nothing can pack
			_, _ = random.Read(text)
			span.Attributes().PutEmptyBytes("text").FromRaw(text)
		}
		_, err := client.Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
		require.NoError(t, err)
	}
	// What is in the write buffer is in a log too, and logs are deleted a moment later.
	most := config.Retention.MaxSize + 2*config.Memory.WriteBuffer
	require.Less(t, most, int64(hours*spansAnHour*spanSize))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.LessOrEqual(c, onDisk(t, config.Directory), most)
	}, time.Minute, 50*time.Millisecond)
	spansOf := func(trace byte) (n int) {
		for td, err := range e.JaegerStorage().GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: pcommon.TraceID{trace}}}) {
			require.NoError(t, err)
			n += td.SpanCount()
		}
		return n
	}
	assert.Zero(t, spansOf(1))
	assert.Equal(t, spansAnHour, spansOf(hours))
	dropped, err := tel.GetMetric("otelcol_extension_trace_store_hours_dropped")
	require.NoError(t, err)
	assert.NotEmpty(t, dropped.Data)
}
