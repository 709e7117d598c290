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
	contexts map[uint64]*scoped
	order    []*scoped // those that have spans
	size     int
}

// scoped are spans of one scope of one resource, encoded.
type scoped struct {
	resource, scope []byte
	spans           []byte
}

// readTrace calls do for each chunk of a trace's spans in a slice, until it returns false. Spans for which skip is true are left out. The
// iterator must stand on the trace's first row.
func readTrace(it *pebble.Iterator, key []byte, skip func(pcommon.SpanID) bool, do func(ptrace.Traces) (bool, error)) error {
	a := assembler{contexts: map[uint64]*scoped{}}
	for ok := it.Valid(); ok; ok = it.Next() {
		row := it.Key()
		if bytes.Equal(row, key) {
			continue
		}
		if len(row) != traceLen+1+8 || !bytes.Equal(row[:traceLen], key) {
			break
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read a span: %w", err)
		}
		if row[traceLen] == rowContext {
			err = a.addContext(row[traceLen+1:], value)
		} else if id := pcommon.SpanID(row[traceLen+1:]); skip == nil || !skip(id) {
			err = a.addSpan(row, value)
		}
		if err != nil {
			return err
		}
		if a.size >= maxChunk {
			if more, err := a.flush(do); err != nil || !more {
				return err
			}
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read a trace: %w", err)
	}
	_, err := a.flush(do)
	return err
}

func (a *assembler) addContext(hash, value []byte) error {
	resource, scope, ok := parseContextValue(append([]byte(nil), value...))
	if !ok {
		return fmt.Errorf("the store is damaged: not a context: %x", value)
	}
	a.contexts[contextHash(hash)] = &scoped{resource: resource, scope: scope}
	return nil
}

func (a *assembler) addSpan(row, value []byte) error {
	hash, encoded, ok := parseSpanValue(value)
	around := a.contexts[hash]
	if !ok || around == nil {
		return fmt.Errorf("the store is damaged: span %x has no resource", row)
	}
	if around.spans == nil {
		a.order = append(a.order, around)
	}
	before := len(around.spans)
	around.spans = appendSpan(around.spans, row, encoded)
	a.size += len(around.spans) - before
	return nil
}

func (a *assembler) flush(do func(ptrace.Traces) (bool, error)) (bool, error) {
	if len(a.order) == 0 {
		return true, nil
	}
	var encoded []byte
	for _, around := range a.order {
		scope := append(append([]byte(nil), around.scope...), around.spans...)
		encoded = appendMessage(encoded, fieldResourceSpans, appendMessage(append([]byte(nil), around.resource...), fieldSpansBelow, scope))
		around.spans = nil
	}
	a.order, a.size = a.order[:0], 0
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(encoded)
	if err != nil {
		return false, fmt.Errorf("the store is damaged: %w", err)
	}
	return do(td)
}
