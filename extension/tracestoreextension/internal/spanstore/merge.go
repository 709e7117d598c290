// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"encoding/binary"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

// A span's value is how rich it is, how long it is as OTLP, which of the trace's contexts it has, and the span, packed, without its IDs, which are in
// the key.

// spanHead is what a span's value begins with.
type spanHead struct {
	// rich is how much this copy of the span tells: the number of its attributes, events and links, and of those on them.
	rich uint64
	// size is how long it is as OTLP.
	size uint64
	// context is which of the trace's contexts it has.
	context uint64
}

func (h spanHead) append(to []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.AppendUvarint(binary.AppendUvarint(to, h.rich), h.size), h.context)
}

// parseSpanValue is the reverse.
func parseSpanValue(value []byte) (h spanHead, packed []byte, ok bool) {
	var n, m int
	if h.rich, n = binary.Uvarint(value); n <= 0 {
		return h, nil, false
	}
	if h.size, m = binary.Uvarint(value[n:]); m <= 0 || len(value) < n+m+8 {
		return h, nil, false
	}
	h.context = binary.BigEndian.Uint64(value[n+m:])
	return h, value[n+m+8:], true
}

// A context's value is the resource and the scope that spans are of, as ResourceSpans and ScopeSpans without what is below them, packed. The length of
// the first is before it.

func contextValue(resource, scope []byte) []byte {
	value := binary.AppendUvarint(make([]byte, 0, len(resource)+len(scope)+binary.MaxVarintLen32), uint64(len(resource)))
	return append(append(value, resource...), scope...)
}

func parseContextValue(value []byte) (resource, scope []byte, ok bool) {
	size, n := binary.Uvarint(value)
	if n <= 0 || size > uint64(len(value)-n) {
		return nil, nil, false
	}
	return value[n : n+int(size)], value[n+int(size):], true
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
