// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// keyService is the resource attribute that says whose span it is.
const keyService = "service.name"

// termOperation is the key of the term that an operation of a service is. No attribute is called so.
const termOperation = "\x00operation"

// rows are what a batch of spans becomes.
type rows struct {
	batch   *pebble.Batch
	indexed map[string]struct{}
	written map[string]byte // index rows, operations and services of this batch: what was set
	slices  map[slice]struct{}
	// stored and invalid are how many spans were taken, and were refused for want of an ID.
	stored, invalid int
}

// add makes the rows of all spans of td.
func (r *rows) add(td ptrace.Traces) error {
	// Encoded once as a whole, and then cut up: the parts come in the same order as in td.
	encoded, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	i := 0
	return below(encoded, fieldResourceSpans, func(encoded []byte) error {
		resource := td.ResourceSpans().At(i)
		i++
		around, err := without(encoded, fieldSpansBelow)
		if err != nil {
			return err
		}
		j := 0
		return below(encoded, fieldSpansBelow, func(encoded []byte) error {
			spans := resource.ScopeSpans().At(j).Spans()
			j++
			scope, err := without(encoded, fieldSpansBelow)
			if err != nil {
				return err
			}
			return r.addSpans(resource.Resource(), spans, contextValue(around, scope), encoded)
		})
	})
}

// addSpans makes the rows of the spans of one scope.
func (r *rows) addSpans(resource pcommon.Resource, spans ptrace.SpanSlice, context, encoded []byte) error {
	service := serviceOf(resource)
	shared := r.termsOf(nil, resource.Attributes())
	hash := xxhash.Sum64(context)
	i := 0
	return below(encoded, fieldSpansBelow, func(encoded []byte) error {
		span := spans.At(i)
		i++
		trace, id := span.TraceID(), span.SpanID()
		if trace.IsEmpty() || id.IsEmpty() {
			r.invalid++
			return nil
		}
		rest, err := withoutIDs(encoded)
		if err != nil {
			return err
		}
		r.stored++
		s, offset := sliceOf(span.StartTimestamp())
		r.slices[s] = struct{}{}
		key := traceKey(s, trace)
		if err := r.setOnce(key, nil); err != nil {
			return err
		}
		if err := r.setOnce(contextKey(key, hash), context); err != nil {
			return err
		}
		if err := r.batch.Merge(spanKey(key, id), spanValue(richness(span), hash, rest), nil); err != nil {
			return err
		}
		return r.index(s, offset, service, shared, span)
	})
}

// index makes the rows by which a span is found.
func (r *rows) index(s slice, offset time.Duration, service string, shared []uint64, span ptrace.Span) error {
	own := r.termsOf(shared[:len(shared):len(shared)], span.Attributes())
	for _, event := range span.Events().All() {
		own = r.termsOf(own, event.Attributes())
	}
	own = append(own, hashTerm(keyService, service), hashTerm(termOperation, service+"\x00"+span.Name()))
	bucket, when := byte(offset/bucketLength), byte(offset%bucketLength*256/bucketLength)
	for _, term := range own {
		if err := r.setLatest(indexKey(s, term, bucket, span.TraceID()), when); err != nil {
			return err
		}
	}
	if err := r.setOnce(operationKey(s, service, byte(span.Kind()), span.Name()), nil); err != nil {
		return err
	}
	return r.setOnce(serviceKey(s, service), nil)
}

// termsOf appends the terms of those attributes that are indexed.
func (r *rows) termsOf(to []uint64, attributes pcommon.Map) []uint64 {
	for key, value := range attributes.All() {
		if _, ok := r.indexed[key]; ok {
			to = append(to, hashTerm(key, value.AsString()))
		}
	}
	return to
}

func (r *rows) setOnce(key, value []byte) error {
	if _, ok := r.written[string(key)]; ok {
		return nil
	}
	r.written[string(key)] = 0
	return r.batch.Set(key, value, nil)
}

// setLatest sets an index row unless this batch has set it to the same or later.
func (r *rows) setLatest(key []byte, when byte) error {
	if before, ok := r.written[string(key)]; ok && before >= when {
		return nil
	}
	r.written[string(key)] = when
	return r.batch.Set(key, []byte{when}, nil)
}

func serviceOf(resource pcommon.Resource) string {
	if value, ok := resource.Attributes().Get(keyService); ok {
		return value.AsString()
	}
	return ""
}
