// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package objectspan puts spans on the Kubernetes objects they concern. All receivers build their output with it and
// k8slink reads it back, which is how every source agrees on identity and resource attributes.
package objectspan // import "github.com/kelemetry/kelemetry/internal/objectspan"

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// Batch collects spans into one ptrace.Traces with one resource per object. It is not safe for concurrent use.
type Batch struct {
	traces       ptrace.Traces
	window       identity.Window
	scopeName    string
	scopeVersion string
	spans        map[Resource]ptrace.SpanSlice
	last         Resource
	lastSpans    ptrace.SpanSlice
}

// NewBatch starts an empty batch. Scope name and version say which component made the spans.
func NewBatch(window identity.Window, scopeName, scopeVersion string) *Batch {
	return &Batch{
		traces: ptrace.NewTraces(), window: window, scopeName: scopeName, scopeVersion: scopeVersion,
		spans: make(map[Resource]ptrace.SpanSlice),
	}
}

// Traces returns what was collected. The batch must not be used afterwards.
func (b *Batch) Traces() ptrace.Traces { return b.traces }

// Append adds an empty span on an object and gives it the trace that the object has as its own root in the window of
// start. The caller sets the span ID, which must be computed from that trace ID.
func (b *Batch) Append(r Resource, spanType string, start, end time.Time) ptrace.Span {
	span := b.spansOf(r).AppendEmpty()
	span.SetTraceID(identity.TraceID(r.Object, b.window.Start(start)))
	span.SetKind(ptrace.SpanKindInternal)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	if end.Before(start) {
		end = start
	}
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	span.Attributes().PutStr(attr.SpanType, spanType)
	return span
}

func (b *Batch) spansOf(r Resource) ptrace.SpanSlice {
	if len(b.spans) > 0 && r == b.last {
		return b.lastSpans
	}
	spans, ok := b.spans[r]
	if !ok {
		rs := b.traces.ResourceSpans().AppendEmpty()
		r.CopyTo(rs.Resource().Attributes())
		scope := rs.ScopeSpans().AppendEmpty()
		scope.Scope().SetName(b.scopeName)
		scope.Scope().SetVersion(b.scopeVersion)
		spans = scope.Spans()
		b.spans[r] = spans
	}
	b.last, b.lastSpans = r, spans
	return spans
}
