// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"bytes"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// maxChunk is about how many bytes of a trace are put together at once.
const maxChunk = 2 << 20

// assembler puts the rows of a trace together as OTLP, chunk by chunk.
type assembler struct {
	words    []*word
	contexts map[uint64]*scoped
	order    []*scoped // those that have spans
	packed   []byte    // what was read of spans
	size     int       // of the chunk as OTLP
	encoded  []byte
}

// scoped are spans of one scope of one resource.
type scoped struct {
	resource, scope []byte // packed
	spans           []stored
}

// stored is where a span is in what was read.
type stored struct {
	id       pcommon.SpanID
	from, to int
}

// readTrace calls do for each chunk of a trace's spans in a slice, until it returns false. Spans for which skip is true are left out. The
// iterator must stand on the trace's first row.
func readTrace(it *pebble.Iterator, words []*word, key []byte, skip func(pcommon.SpanID) bool, do func(ptrace.Traces) (bool, error)) error {
	a := assembler{words: words, contexts: map[uint64]*scoped{}}
	trace := pcommon.TraceID(key[prefixLen:traceLen])
	for ok := it.Valid(); ok; ok = it.Next() {
		row := it.Key()
		if len(row) != rowLen || !bytes.Equal(row[:traceLen], key) {
			break
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read a span: %w", err)
		}
		if row[traceLen] == rowContext {
			err = a.addContext(row[traceLen+1:], value)
		} else if id := pcommon.SpanID(row[traceLen+1:]); skip == nil || !skip(id) {
			err = a.addSpan(id, value)
		}
		if err != nil {
			return err
		}
		if a.size >= maxChunk {
			if more, err := a.flush(trace, do); err != nil || !more {
				return err
			}
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read a trace: %w", err)
	}
	_, err := a.flush(trace, do)
	return err
}

func (a *assembler) addContext(hash, value []byte) error {
	resource, scope, ok := parseContextValue(append([]byte(nil), value...))
	if !ok {
		return fmt.Errorf("%w: not a context: %x", errDamaged, value)
	}
	a.contexts[contextHash(hash)] = &scoped{resource: resource, scope: scope}
	return nil
}

func (a *assembler) addSpan(id pcommon.SpanID, value []byte) error {
	head, packed, ok := parseSpanValue(value)
	around := a.contexts[head.context]
	if !ok || around == nil {
		return fmt.Errorf("%w: span %s has no resource", errDamaged, id)
	}
	if len(around.spans) == 0 {
		a.order = append(a.order, around)
		a.size += len(around.resource) + len(around.scope)
	}
	from := len(a.packed)
	a.packed = append(a.packed, packed...)
	around.spans = append(around.spans, stored{id: id, from: from, to: len(a.packed)})
	a.size += int(min(head.size, maxChunk))
	return nil
}

func (a *assembler) flush(trace pcommon.TraceID, do func(ptrace.Traces) (bool, error)) (bool, error) {
	if len(a.order) == 0 {
		return true, nil
	}
	if cap(a.encoded) == 0 {
		a.encoded = make([]byte, 0, a.size+a.size/8)
	}
	a.encoded = a.encoded[:0]
	for _, around := range a.order {
		if err := a.encode(around, trace); err != nil {
			return false, err
		}
		around.spans = around.spans[:0]
	}
	a.order, a.packed, a.size = a.order[:0], a.packed[:0], 0
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(a.encoded)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return do(td)
}

// encode appends a ResourceSpans.
func (a *assembler) encode(around *scoped, trace pcommon.TraceID) (err error) {
	a.encoded = openMessage(a.encoded, fieldResourceSpans)
	resource := len(a.encoded)
	if a.encoded, err = unpack(a.encoded, around.resource, ofResourceSpans, a.words); err != nil {
		return err
	}
	a.encoded = openMessage(a.encoded, fieldSpansBelow)
	scope := len(a.encoded)
	if a.encoded, err = unpack(a.encoded, around.scope, ofScopeSpans, a.words); err != nil {
		return err
	}
	for _, at := range around.spans {
		a.encoded = openMessage(a.encoded, fieldSpansBelow)
		span := len(a.encoded)
		a.encoded = appendMessage(a.encoded, fieldTraceID, trace[:])
		a.encoded = appendMessage(a.encoded, fieldSpanID, at.id[:])
		if a.encoded, err = unpack(a.encoded, a.packed[at.from:at.to], ofSpan, a.words); err != nil {
			return err
		}
		closeMessage(a.encoded, span)
	}
	closeMessage(a.encoded, scope)
	closeMessage(a.encoded, resource)
	return nil
}
