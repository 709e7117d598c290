// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// match says whether a span is one that a query asks for.
type match struct {
	service, operation string
	attributes         map[string]string
	startMin, startMax time.Time
	durationMin        time.Duration
	durationMax        time.Duration
}

func newMatch(query jaegerstorage.Query) *match {
	m := &match{
		service: query.Service, operation: query.Operation, attributes: map[string]string{},
		startMin: query.StartMin, startMax: query.StartMax, durationMin: query.DurationMin, durationMax: query.DurationMax,
	}
	for key, value := range query.Attributes.All() {
		m.attributes[key] = value.AsString()
	}
	return m
}

// any says whether one of the spans matches by itself.
func (m *match) any(td ptrace.Traces) bool {
	for _, resource := range td.ResourceSpans().All() {
		if m.service != "" && serviceName(resource.Resource()) != m.service {
			continue
		}
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if m.span(resource.Resource().Attributes(), scope.Scope(), span) {
					return true
				}
			}
		}
	}
	return false
}

func (m *match) span(resource pcommon.Map, scope pcommon.InstrumentationScope, span ptrace.Span) bool {
	start, duration := span.StartTimestamp().AsTime(), span.EndTimestamp().AsTime().Sub(span.StartTimestamp().AsTime())
	if m.operation != "" && span.Name() != m.operation ||
		!m.startMin.IsZero() && start.Before(m.startMin) || !m.startMax.IsZero() && start.After(m.startMax) ||
		m.durationMin != 0 && duration < m.durationMin || m.durationMax != 0 && duration > m.durationMax {
		return false
	}
	for key, want := range m.attributes {
		if !hasAttribute(resource, scope, span, key, want) {
			return false
		}
	}
	return true
}

// hasAttribute looks for an attribute where Jaeger shows tags: on the span, its events, its resource and its scope; and for the tags that
// Jaeger makes of other fields.
func hasAttribute(resource pcommon.Map, scope pcommon.InstrumentationScope, span ptrace.Span, key, want string) bool {
	if is(span.Attributes(), key, want) || is(resource, key, want) || is(scope.Attributes(), key, want) {
		return true
	}
	for _, event := range span.Events().All() {
		if is(event.Attributes(), key, want) || key == "event" && event.Name() == want {
			return true
		}
	}
	switch key {
	case "error":
		return want == strconv.FormatBool(span.Status().Code() == ptrace.StatusCodeError)
	case "span.kind":
		return want == kindName(span.Kind())
	case "span.status", "otel.status_code":
		return strings.EqualFold(want, span.Status().Code().String())
	case "otel.scope.name":
		return want == scope.Name()
	default:
		return false
	}
}

func is(attributes pcommon.Map, key, want string) bool {
	value, ok := attributes.Get(key)
	return ok && value.AsString() == want
}

func serviceName(resource pcommon.Resource) string {
	if value, ok := resource.Attributes().Get(keyService); ok {
		return value.AsString()
	}
	return ""
}
