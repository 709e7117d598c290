// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// summarize says of a view what a list of results shows.
func summarize(td ptrace.Traces) jaegerstorage.Summary {
	root, service := rootOf(td)
	s := jaegerstorage.Summary{TraceID: root.TraceID(), RootService: service, RootOperation: root.Name()}
	services := map[string]*jaegerstorage.ServiceSummary{}
	ids := make(map[pcommon.SpanID]bool, td.SpanCount())
	var parents []pcommon.SpanID
	var start, end pcommon.Timestamp
	for _, resource := range td.ResourceSpans().All() {
		name := serviceOf(resource)
		of, ok := services[name]
		if !ok {
			of = &jaegerstorage.ServiceSummary{Name: name}
			services[name] = of
		}
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if s.Spans == 0 || span.StartTimestamp() < start {
					start = span.StartTimestamp()
				}
				end = max(end, span.EndTimestamp())
				s.Spans++
				of.Spans++
				if span.Status().Code() == ptrace.StatusCodeError {
					s.ErrorSpans++
					of.ErrorSpans++
				}
				ids[span.SpanID()] = true
				if parent := span.ParentSpanID(); !parent.IsEmpty() {
					parents = append(parents, parent)
				}
			}
		}
	}
	for _, parent := range parents {
		if !ids[parent] {
			s.Orphaned++
		}
	}
	s.Start, s.End = start.AsTime(), end.AsTime()
	for _, of := range services {
		s.Services = append(s.Services, *of)
	}
	slices.SortFunc(s.Services, func(a, b jaegerstorage.ServiceSummary) int { return strings.Compare(a.Name, b.Name) })
	return s
}
