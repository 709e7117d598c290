// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package storagetest is a storage in memory for tests, which answers as Jaeger's do, and can be made to fail.
package storagetest // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// Store is a storage in memory. What it returns must not be changed.
type Store struct {
	// Before is called before each answer with what was asked. An error that it returns is the answer.
	Before func(ctx context.Context, call, service string) error

	mu      sync.Mutex // guards what follows
	traces  map[pcommon.TraceID]ptrace.Traces
	order   []pcommon.TraceID
	queries []jaegerstorage.Query
}

var _ jaegerstorage.Reader = (*Store)(nil)

// Add stores spans, each in its trace.
func (s *Store) Add(td ptrace.Traces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.traces == nil {
		s.traces = map[pcommon.TraceID]ptrace.Traces{}
	}
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				trace, ok := s.traces[span.TraceID()]
				if !ok {
					trace = ptrace.NewTraces()
					s.traces[span.TraceID()] = trace
					s.order = append(s.order, span.TraceID())
				}
				to := trace.ResourceSpans().AppendEmpty()
				resource.Resource().CopyTo(to.Resource())
				span.CopyTo(to.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
			}
		}
	}
}

// Queries returns what was searched for so far.
func (s *Store) Queries() []jaegerstorage.Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

// TraceIDs returns the IDs of all traces, the oldest first.
func (s *Store) TraceIDs() []pcommon.TraceID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

func (s *Store) before(ctx context.Context, call, service string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Before != nil {
		return s.Before(ctx, call, service)
	}
	return nil
}

// GetTraces implements jaegerstorage.Reader.
func (s *Store) GetTraces(ctx context.Context, params []jaegerstorage.TraceParams) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) {
		if err := s.before(ctx, "get", ""); err != nil {
			yield(ptrace.Traces{}, err)
			return
		}
		for _, p := range params {
			s.mu.Lock()
			td, ok := s.traces[p.TraceID]
			s.mu.Unlock()
			if ok && !yield(td, nil) {
				return
			}
		}
	}
}

// FindTraces implements jaegerstorage.Reader: the newest first.
func (s *Store) FindTraces(ctx context.Context, q jaegerstorage.Query) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) {
		if err := s.before(ctx, "find", q.Service); err != nil {
			yield(ptrace.Traces{}, err)
			return
		}
		s.mu.Lock()
		s.queries = append(s.queries, q)
		var found []ptrace.Traces
		for _, id := range slices.Backward(s.order) {
			if len(found) < q.Limit && matches(s.traces[id], q) {
				found = append(found, s.traces[id])
			}
		}
		s.mu.Unlock()
		for _, td := range found {
			if !yield(td, nil) {
				return
			}
		}
	}
}

func matches(td ptrace.Traces, q jaegerstorage.Query) bool {
	for _, resource := range td.ResourceSpans().All() {
		if service, ok := resource.Resource().Attributes().Get(attr.ServiceName); q.Service != "" && (!ok || service.AsString() != q.Service) {
			continue
		}
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				at := span.StartTimestamp().AsTime()
				if at.Before(q.StartMin) || at.After(q.StartMax) {
					continue
				}
				if hasAll(q.Attributes, resource.Resource().Attributes(), span.Attributes()) {
					return true
				}
			}
		}
	}
	return false
}

func hasAll(want, resource, span pcommon.Map) bool {
	for key, value := range want.All() {
		a, inResource := resource.Get(key)
		b, inSpan := span.Get(key)
		if (!inResource || a.AsString() != value.AsString()) && (!inSpan || b.AsString() != value.AsString()) {
			return false
		}
	}
	return true
}

// FindTraceSummaries implements jaegerstorage.Reader.
func (s *Store) FindTraceSummaries(context.Context, jaegerstorage.Query) iter.Seq2[[]jaegerstorage.Summary, error] {
	return func(yield func([]jaegerstorage.Summary, error) bool) { yield(nil, jaegerstorage.ErrUnimplemented) }
}

// Services implements jaegerstorage.Reader.
func (s *Store) Services(ctx context.Context) ([]string, error) {
	if err := s.before(ctx, "services", ""); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, td := range s.traces {
		for _, resource := range td.ResourceSpans().All() {
			if service, ok := resource.Resource().Attributes().Get(attr.ServiceName); ok && !slices.Contains(names, service.AsString()) {
				names = append(names, service.AsString())
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// Operations implements jaegerstorage.Reader.
func (s *Store) Operations(context.Context, string, string) ([]jaegerstorage.Operation, error) {
	return nil, nil
}

// Dependencies implements jaegerstorage.Reader.
func (s *Store) Dependencies(context.Context, time.Time, time.Duration) ([]jaegerstorage.Dependency, error) {
	return nil, nil
}
