// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"
)

// TestWhatIsDeep does not cost more than what is wide: owners in a chain of thousands, spans below spans, a node that thousands
// of Pods refer to. With a square in it, this test would not end.
func TestWhatIsDeep(t *testing.T) {
	const n = 2000
	var batches []ptrace.Traces
	td := ptrace.NewTraces()
	for i := range n {
		owner := fmt.Sprintf("ConfigMap c%d", i+1)
		name := fmt.Sprintf("ConfigMap c%d", i)
		batches = append(batches,
			storedtest.Span{On: name, Kind: "audit", Name: "patch", At: time.Duration(i), Owner: owner}.Traces(),
			storedtest.Span{On: "Node n", Kind: "link", Target: name}.Traces())
		span := storedtest.Span{On: "ConfigMap c0", Kind: storedtest.Foreign, Name: "deep", At: time.Duration(n - i), Service: "s"}.Traces()
		deep := span.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		var id, parent pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], uint64(i+1))
		binary.BigEndian.PutUint64(parent[:], uint64(i+2))
		deep.SetTraceID(pcommon.TraceID{1})
		deep.SetSpanID(id)
		deep.SetParentSpanID(parent)
		span.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	}
	g := graphOf(append(batches, td)...)
	for _, name := range []string{"tracing [full tree, links]", "tree [ancestors, owned objects]", "timeline [links]"} {
		for _, of := range []string{"ConfigMap c0", "ConfigMap c1000", "Node n"} {
			got := Render(g, storedtest.ID(of), modeNamed(t, name), Options{TraceID: asked, DisplayID: displayID})
			require.NotZero(t, got.SpanCount())
			require.NoError(t, text.Write(io.Discard, got, text.Options{}))
		}
	}
}
