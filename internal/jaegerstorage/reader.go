// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerstorage // import "github.com/kelemetry/kelemetry/internal/jaegerstorage"

import (
	"context"
	"errors"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// ErrUnimplemented is what a method answers that a storage does not have.
var ErrUnimplemented = errors.New("not implemented by this storage")

// ErrInvalid is what a query is answered with that asks for what cannot be.
var ErrInvalid = errors.New("invalid query")

// Reader reads traces. An implementation is safe for concurrent use. All its methods end when ctx does, and an iterator when its
// consumer breaks off; an error ends an iterator.
type Reader interface {
	// GetTraces yields the traces that are found, each as one or several chunks. A chunk has spans of one trace only and
	// is never empty; chunks of a trace follow one another. A trace that is not found is no error.
	GetTraces(ctx context.Context, params []TraceParams) iter.Seq2[ptrace.Traces, error]
	// FindTraces yields the traces that have a span as the query says, as chunks like those of GetTraces.
	FindTraces(ctx context.Context, query Query) iter.Seq2[ptrace.Traces, error]
	// FindTraceSummaries yields what FindTraces finds, but only what a list of traces shows. It may answer
	// ErrUnimplemented, as its first error.
	FindTraceSummaries(ctx context.Context, query Query) iter.Seq2[[]Summary, error]
	// Services returns the names of all services.
	Services(ctx context.Context) ([]string, error)
	// Operations returns the operations of a service, of one kind of span or of all if that is empty.
	Operations(ctx context.Context, service, spanKind string) ([]Operation, error)
	// Dependencies returns which service called which in the time before end.
	Dependencies(ctx context.Context, end time.Time, lookback time.Duration) ([]Dependency, error)
}

// Provider is an extension that has stored traces for others in the same process.
type Provider interface {
	// JaegerStorage returns the reader. It works between Start and Shutdown of the extension; outside of that it answers errors.
	JaegerStorage() Reader
}

// TraceParams asks for one trace.
type TraceParams struct {
	TraceID pcommon.TraceID
	// Start and End help a storage to find it. They are zero when they are unknown.
	Start, End time.Time
}

// Query asks for traces. What is zero is not asked for.
type Query struct {
	// Service and Operation are of one span, which also has all the attributes, on itself or its resource.
	Service, Operation string
	// Attributes is never the zero Map: NewQuery makes a Query.
	Attributes pcommon.Map
	// StartMin and StartMax are inclusive bounds of when that span started.
	StartMin, StartMax time.Time
	// DurationMin and DurationMax are inclusive bounds of how long it lasted.
	DurationMin, DurationMax time.Duration
	// Limit is how many traces are wanted at most.
	Limit int
}

// NewQuery returns a query that asks for nothing yet.
func NewQuery() Query { return Query{Attributes: pcommon.NewMap()} }

// Summary is what a list of traces shows of one.
type Summary struct {
	TraceID                     pcommon.TraceID
	RootService, RootOperation  string
	Start, End                  time.Time
	Spans, ErrorSpans, Orphaned int
	Services                    []ServiceSummary
}

// ServiceSummary counts a service's spans in a trace.
type ServiceSummary struct {
	Name              string
	Spans, ErrorSpans int
}

// Operation is the name of a span, and its kind as Jaeger writes it, such as "server".
type Operation struct {
	Name, SpanKind string
}

// Dependency is that one service calls another.
type Dependency struct {
	Parent, Child string
	Calls         uint64
	Source        string
}
