// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracer // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"

import (
	"context"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// Storage is a storage that has the spans, and is searched.
type Storage struct {
	Reader jaegerstorage.Reader
	// Service is that of the spans.
	Service string
	// Tags are what to search for. An entry of which an attribute is missing that a template names is not asked for.
	Tags map[string]Template
}

// margin is how far clocks may differ.
const margin = 10 * time.Second

// For implements Source.
func (s *Storage) For(entry *model.Entry, traces int) (Query, bool) {
	q := jaegerstorage.NewQuery()
	q.Service, q.Limit = s.Service, traces
	q.StartMin, q.StartMax = entry.Start.AsTime().Add(-margin), entry.End.AsTime().Add(margin)
	for key, template := range s.Tags {
		value, ok := template.Fill(entry.Span.Attributes(), entry.Resource)
		if !ok {
			return nil, false
		}
		q.Attributes.PutStr(key, value)
	}
	return func(ctx context.Context) iter.Seq2[ptrace.Traces, error] { return s.Reader.FindTraces(ctx, q) }, true
}
