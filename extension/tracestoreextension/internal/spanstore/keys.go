// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"encoding/binary"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// The layout of the keys, which is the format of the store. Each begins with the slice, as a big-endian number of 32 bits, and a letter:
//
//	slice 't' trace 0 context   what spans share: their resource and scope, see contextValue
//	slice 't' trace 1 span      a span: see spanValue
//	slice 'd' number            a word of the slice's dictionary: its kind, and the text
//	slice 'i' term ^bucket trace[:8]   that the trace has a span with the term in the bucket; the value is when within the bucket
//	slice 'o' service 0 kind operation   that there is such an operation
//	slice 's' service           that there is such a service
//	slice 'w'                   when the slice was last written, and what is indexed in it: see sliceState
//
// The Bloom filters tell which tables have nothing of a trace, or of a term: see prefixOf.
//
// A change of it needs another name of comparer, so that a directory in the old format is refused instead of misread.
const (
	kindTrace     = 't'
	kindIndex     = 'i'
	kindOperation = 'o'
	kindService   = 's'
	kindState     = 'w'
	kindWord      = 'd'

	rowContext = 0
	rowSpan    = 1

	sliceLen   = 4
	prefixLen  = sliceLen + 1
	traceLen   = prefixLen + 16   // of what all rows of a trace begin with
	rowLen     = traceLen + 1 + 8 // of each of them
	shortLen   = 8                // of the part of a trace ID that is in the index
	termLen    = prefixLen + 8    // of what all rows of a term begin with
	indexLen   = termLen + 1 + shortLen
	wordKeyLen = prefixLen + 4
)

// slice is an hour, counted from the Unix epoch.
type slice uint32

// sliceLength and the buckets within it. A bucket has to be a byte.
const (
	sliceLength     = time.Hour
	bucketLength    = 5 * time.Minute
	bucketsPerSlice = int(sliceLength / bucketLength)
)

// sliceOf returns the slice of a time and how far into it the time is. A timestamp ends in the year 2554, so no slice's key has only ff.
func sliceOf(t pcommon.Timestamp) (slice, time.Duration) {
	return slice(uint64(t) / uint64(sliceLength)), time.Duration(uint64(t) % uint64(sliceLength))
}

func (s slice) start() time.Time { return time.Unix(int64(s)*int64(sliceLength/time.Second), 0).UTC() }

func (s slice) key() []byte { return binary.BigEndian.AppendUint32(make([]byte, 0, 64), uint32(s)) }

func (s slice) prefix(kind byte) []byte { return append(s.key(), kind) }

func sliceOfKey(key []byte) slice { return slice(binary.BigEndian.Uint32(key)) }

func traceKey(s slice, trace pcommon.TraceID) []byte { return append(s.prefix(kindTrace), trace[:]...) }

func contextKey(s slice, trace pcommon.TraceID, context uint64) []byte {
	return binary.BigEndian.AppendUint64(append(traceKey(s, trace), rowContext), context)
}

func contextHash(key []byte) uint64 { return binary.BigEndian.Uint64(key) }

// putSpanKey sets a key of rowLen bytes.
func putSpanKey(key []byte, s slice, trace pcommon.TraceID, span pcommon.SpanID) {
	binary.BigEndian.PutUint32(key, uint32(s))
	key[sliceLen] = kindTrace
	copy(key[prefixLen:], trace[:])
	key[traceLen] = rowSpan
	copy(key[traceLen+1:], span[:])
}

// termKey is what all rows of a term in a slice begin with.
func termKey(s slice, term uint64) []byte {
	return binary.BigEndian.AppendUint64(s.prefix(kindIndex), term)
}

// bucketKey is what all rows of a term in a bucket begin with. Buckets are sorted from the newest to the oldest.
func bucketKey(s slice, term uint64, bucket byte) []byte { return append(termKey(s, term), ^bucket) }

// key returns the key of an index row.
func (r indexRow) key() []byte { return append(bucketKey(r.in, r.term, r.bucket), r.trace[:]...) }

func operationKey(s slice, service string, kind byte, name string) []byte {
	return append(append(append(append(s.prefix(kindOperation), service...), 0), kind), name...)
}

func serviceKey(s slice, service string) []byte { return append(s.prefix(kindService), service...) }

// after returns the least key that is greater than all keys with the prefix, which begins with a slice.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// prefixOf returns how much of a key is in the Bloom filters: all rows of a trace are found by one prefix, and all of a term.
func prefixOf(key []byte) int {
	if len(key) < prefixLen {
		return len(key)
	}
	switch key[sliceLen] {
	case kindTrace:
		return min(len(key), traceLen)
	case kindIndex:
		return min(len(key), termLen)
	default:
		return len(key)
	}
}

// formatName is the name of the layout.
const formatName = "kelemetry.spanstore.v2"

// comparer orders keys as bytes.
var comparer = func() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.Name = formatName
	c.Split = prefixOf
	c.ImmediateSuccessor = func(to, prefix []byte) []byte {
		if longer := append(append(to, prefix...), 0); prefixOf(longer[len(to):]) == len(prefix)+1 {
			return longer
		}
		return append(to, after(prefix)...)
	}
	return &c
}()
