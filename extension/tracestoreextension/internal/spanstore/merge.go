// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"encoding/binary"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// A span's value is how rich it is, which of the trace's contexts it has, and the span as OTLP encodes it, but for its IDs, which are in the key.

// richness is how much a copy of a span tells: the number of its attributes, events and links, and of those on its events.
func richness(span ptrace.Span) uint64 {
	n := span.Attributes().Len() + span.Events().Len() + span.Links().Len()
	for _, event := range span.Events().All() {
		n += event.Attributes().Len()
	}
	return uint64(n)
}

func spanValue(rich, context uint64, encoded []byte) []byte {
	value := make([]byte, 0, binary.MaxVarintLen16+8+len(encoded))
	value = binary.AppendUvarint(value, rich)
	value = binary.BigEndian.AppendUint64(value, context)
	return append(value, encoded...)
}

// parseSpanValue is the reverse of spanValue.
func parseSpanValue(value []byte) (context uint64, encoded []byte, ok bool) {
	_, n := binary.Uvarint(value)
	if n <= 0 || len(value) < n+8 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(value[n:]), value[n+8:], true
}

// richerWins is what becomes of copies of a span. It asks for no order of compaction: a richer copy beats a poorer one, and of two that
// are as rich the later.
var richerWins = &pebble.Merger{
	Name: "kelemetry.richer.v1",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		return &richest{value: append([]byte(nil), value...)}, nil
	},
}

type richest struct{ value []byte }

func (r *richest) MergeNewer(value []byte) error {
	if richnessOf(value) >= richnessOf(r.value) {
		r.value = append(r.value[:0], value...)
	}
	return nil
}

func (r *richest) MergeOlder(value []byte) error {
	if richnessOf(value) > richnessOf(r.value) {
		r.value = append(r.value[:0], value...)
	}
	return nil
}

func (r *richest) Finish(bool) ([]byte, io.Closer, error) { return r.value, nil, nil }

func richnessOf(value []byte) uint64 {
	rich, _ := binary.Uvarint(value)
	return rich
}
