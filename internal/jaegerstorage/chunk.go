// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerstorage // import "github.com/kelemetry/kelemetry/internal/jaegerstorage"

import (
	"fmt"
	"iter"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// maxChunk is the largest message that the server sends. gRPC clients take 4 MiB unless they are told otherwise, and
// Jaeger's is not.
const maxChunk = 3 << 20

// attrWarnings is what Jaeger's UI shows as notes on a span.
const attrWarnings = "@jaeger@warnings"

// chunks yields the spans of td in parts whose encoded size is at most limit. A span that is larger by itself is yielded
// without its attributes, events and links, and says so. Nothing empty is yielded.
func chunks(td ptrace.Traces, limit int) iter.Seq[ptrace.Traces] {
	return func(yield func(ptrace.Traces) bool) {
		var sizer ptrace.ProtoMarshaler
		switch {
		case td.SpanCount() == 0:
		case sizer.TracesSize(td) <= limit:
			yield(td)
		default:
			s := splitter{limit: limit, yield: yield}
			s.split(td)
		}
	}
}

// splitter fills one part after the other.
type splitter struct {
	limit int
	sizer ptrace.ProtoMarshaler
	yield func(ptrace.Traces) bool

	part  ptrace.Traces
	spans ptrace.SpanSlice // of the part, where the next span goes
	size  int              // of the part, 0 if there is none
	over  bool             // the consumer has had enough
}

// perMessage is more than what the tags and lengths around a message take, on every level.
const perMessage = 24

func (s *splitter) split(td ptrace.Traces) {
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			head := s.head(resource, scope)
			opened := false
			for _, span := range scope.Spans().All() {
				span = s.bounded(span, head.size)
				size := s.sizer.SpanSize(span) + perMessage
				if s.size > 0 && s.size+size+head.size > s.limit {
					s.flush()
					opened = false
				}
				if s.over {
					return
				}
				if !opened {
					s.open(head)
					opened = true
				}
				span.CopyTo(s.spans.AppendEmpty())
				s.size += size
			}
		}
	}
	s.flush()
}

func (s *splitter) flush() {
	if s.size > 0 && !s.over {
		s.over = !s.yield(s.part)
	}
	s.size = 0
}

// open begins the resource and scope of head in the part.
func (s *splitter) open(h head) {
	if s.size == 0 {
		s.part = ptrace.NewTraces()
	}
	resource := s.part.ResourceSpans().AppendEmpty()
	h.resource.CopyTo(resource.Resource())
	resource.SetSchemaUrl(h.resourceSchema)
	scope := resource.ScopeSpans().AppendEmpty()
	h.scope.CopyTo(scope.Scope())
	scope.SetSchemaUrl(h.scopeSchema)
	s.spans = scope.Spans()
	s.size += h.size
}

// head is what spans share, and is repeated in each part.
type head struct {
	resource                    pcommon.Resource
	scope                       pcommon.InstrumentationScope
	resourceSchema, scopeSchema string
	size                        int
}

// head leaves out the attributes of a resource or scope that would take more than half of a part.
func (s *splitter) head(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans) head {
	h := head{
		resource: resource.Resource(), resourceSchema: resource.SchemaUrl(),
		scope: scope.Scope(), scopeSchema: scope.SchemaUrl(),
	}
	if h.size = s.headSize(h); h.size <= s.limit/2 {
		return h
	}
	service, ok := h.resource.Attributes().Get("service.name")
	h = head{resource: pcommon.NewResource(), scope: pcommon.NewInstrumentationScope()}
	if ok && len(service.Str()) < s.limit/4 {
		service.CopyTo(h.resource.Attributes().PutEmpty("service.name"))
	}
	h.size = s.headSize(h)
	return h
}

func (s *splitter) headSize(h head) int {
	empty := ptrace.NewTraces()
	resource := empty.ResourceSpans().AppendEmpty()
	h.resource.CopyTo(resource.Resource())
	resource.SetSchemaUrl(h.resourceSchema)
	scope := resource.ScopeSpans().AppendEmpty()
	h.scope.CopyTo(scope.Scope())
	scope.SetSchemaUrl(h.scopeSchema)
	return s.sizer.TracesSize(empty) + perMessage
}

// bounded returns the span, or what is left of it so that it fits into a part behind its head.
func (s *splitter) bounded(span ptrace.Span, headSize int) ptrace.Span {
	size := s.sizer.SpanSize(span)
	if size+perMessage+headSize <= s.limit {
		return span
	}
	left := ptrace.NewSpan()
	left.SetTraceID(span.TraceID())
	left.SetSpanID(span.SpanID())
	left.SetParentSpanID(span.ParentSpanID())
	left.SetStartTimestamp(span.StartTimestamp())
	left.SetEndTimestamp(span.EndTimestamp())
	left.SetKind(span.Kind())
	left.Status().SetCode(span.Status().Code())
	if left.SetName("too large"); len(span.Name()) < s.limit/8 {
		left.SetName(span.Name())
	}
	left.Attributes().PutEmptySlice(attrWarnings).AppendEmpty().SetStr(fmt.Sprintf(
		"the %d attributes, %d events and %d links of this span are left out: with %d bytes it is too large to be sent",
		span.Attributes().Len(), span.Events().Len(), span.Links().Len(), size))
	return left
}
