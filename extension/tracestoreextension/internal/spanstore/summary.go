// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"cmp"
	stdslices "slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// summary adds up what a list of traces shows of one.
type summary struct {
	spans    map[pcommon.SpanID]pcommon.SpanID // to its parent
	services map[string]*jaegerstorage.ServiceSummary
	sum      jaegerstorage.Summary
	root     pcommon.Timestamp // start of the root that is named
}

// add takes a chunk of the trace.
func (s *summary) add(td ptrace.Traces) (bool, error) {
	if s.spans == nil {
		s.spans, s.services = map[pcommon.SpanID]pcommon.SpanID{}, map[string]*jaegerstorage.ServiceSummary{}
	}
	for _, resource := range td.ResourceSpans().All() {
		name := serviceName(resource.Resource())
		service := s.services[name]
		if service == nil {
			service = &jaegerstorage.ServiceSummary{Name: name}
			s.services[name] = service
		}
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				s.addSpan(service, span)
			}
		}
	}
	return true, nil
}

func (s *summary) addSpan(service *jaegerstorage.ServiceSummary, span ptrace.Span) {
	s.spans[span.SpanID()] = span.ParentSpanID()
	s.sum.Spans++
	service.Spans++
	if span.Status().Code() == ptrace.StatusCodeError {
		s.sum.ErrorSpans++
		service.ErrorSpans++
	}
	start, end := span.StartTimestamp().AsTime(), span.EndTimestamp().AsTime()
	if s.sum.Start.IsZero() || start.Before(s.sum.Start) {
		s.sum.Start = start
	}
	if end.After(s.sum.End) {
		s.sum.End = end
	}
	if span.ParentSpanID().IsEmpty() && (s.root == 0 || span.StartTimestamp() < s.root) {
		s.root = span.StartTimestamp()
		s.sum.RootService, s.sum.RootOperation = service.Name, span.Name()
	}
}

// of returns the sum of what was added.
func (s *summary) of(id pcommon.TraceID) jaegerstorage.Summary {
	s.sum.TraceID = id
	for _, parent := range s.spans {
		if _, ok := s.spans[parent]; !ok && !parent.IsEmpty() {
			s.sum.Orphaned++
		}
	}
	for _, service := range s.services {
		s.sum.Services = append(s.sum.Services, *service)
	}
	stdslices.SortFunc(s.sum.Services, func(a, b jaegerstorage.ServiceSummary) int { return cmp.Compare(a.Name, b.Name) })
	if s.sum.End.IsZero() {
		s.sum.End = s.sum.Start
	}
	return s.sum
}
