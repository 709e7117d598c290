// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerstorage

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// TestNoChunkIsLargerThanItMay, whatever the traces, and no span is lost or doubled.
func TestNoChunkIsLargerThanItMay(t *testing.T) {
	var sizer ptrace.ProtoMarshaler
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		td := ptrace.NewTraces()
		want := map[pcommon.SpanID]bool{}
		for range random.IntN(4) {
			resource := td.ResourceSpans().AppendEmpty()
			resource.Resource().Attributes().PutStr("service.name", strings.Repeat("s", random.IntN(300)))
			for range random.IntN(4) {
				scope := resource.ScopeSpans().AppendEmpty()
				scope.Scope().Attributes().PutStr("a", strings.Repeat("s", random.IntN(300)))
				for range random.IntN(20) {
					span := scope.Spans().AppendEmpty()
					id := pcommon.SpanID{byte(len(want)), byte(len(want) >> 8), 1}
					span.SetSpanID(id)
					span.SetName(strings.Repeat("n", random.IntN(300)))
					span.Attributes().PutStr("a", strings.Repeat("s", random.IntN(1<<random.IntN(12))))
					want[id] = true
				}
			}
		}
		for chunk := range chunks(td, 1000) {
			require.NotZero(t, chunk.SpanCount())
			require.LessOrEqual(t, sizer.TracesSize(chunk), 1000)
			for _, resource := range chunk.ResourceSpans().All() {
				for _, scope := range resource.ScopeSpans().All() {
					for _, span := range scope.Spans().All() {
						require.True(t, want[span.SpanID()])
						delete(want, span.SpanID())
					}
				}
			}
		}
		require.Empty(t, want)
	}
}

func TestATooLargeSpanSaysSo(t *testing.T) {
	td := trace(1, 1, 2000)
	span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	span.SetParentSpanID(pcommon.SpanID{7})
	span.Status().SetCode(ptrace.StatusCodeError)
	for chunk := range chunks(td, 1000) {
		got := chunk.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		assert.Equal(t, span.SpanID(), got.SpanID())
		assert.Equal(t, span.ParentSpanID(), got.ParentSpanID())
		assert.Equal(t, "span", got.Name())
		assert.Equal(t, ptrace.StatusCodeError, got.Status().Code())
		assert.Equal(t, map[string]any{"@jaeger@warnings": []any{
			"the 1 attributes, 0 events and 0 links of this span are left out: with 2063 bytes it is too large to be sent",
		}}, got.Attributes().AsRaw())
	}
}

func TestChunksEndWithTheirConsumer(t *testing.T) {
	n := 0
	for range chunks(trace(1, 100, 100), 1000) {
		n++
		break
	}
	assert.Equal(t, 1, n)
}
