// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// recorded are the spans of testdata/recorded.otlp.gz, of which copies can be made that share nothing that differs in real life: IDs,
// UIDs, times, and the random parts of names.
type recorded struct {
	batches []template
	spans   int
	// object is the object ID of a Deployment, in all of its copies.
	object string
}

// template is an encoded batch and where in it there is what differs.
type template struct {
	encoded []byte
	places  []place
}

type place struct {
	at   int
	was  string
	kind byte
}

const (
	placeTime   = 'T' // 8 bytes, little-endian
	placeID     = 'i' // of a trace or span
	placeUID    = 'u'
	placeObject = 'o'
	placeName   = 'n'
)

var (
	uids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	hex14  = regexp.MustCompile(`[0-9a-f]{14}`)
	suffix = regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{8,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?`)
)

// letters are those of generated names.
const letters = "bcdfghjklmnpqrstvwxz2456789"

func loadRecorded(tb testing.TB) *recorded {
	tb.Helper()
	file, err := os.Open("testdata/recorded.otlp.gz")
	require.NoError(tb, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(tb, err)
	rest, err := io.ReadAll(unzipped)
	require.NoError(tb, err)
	r := &recorded{}
	for len(rest) > 0 {
		size := 4 + int(binary.BigEndian.Uint32(rest))
		r.add(tb, rest[4:size])
		rest = rest[size:]
	}
	require.NotEmpty(tb, r.object)
	return r
}

func (r *recorded) add(tb testing.TB, encoded []byte) {
	tb.Helper()
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(encoded)
	require.NoError(tb, err)
	fixed, objects := map[string]byte{}, map[string]bool{}
	when := func(t uint64) { fixed[string(binary.LittleEndian.AppendUint64(nil, t))] = placeTime }
	for _, resource := range td.ResourceSpans().All() {
		object, _ := resource.Resource().Attributes().Get("kelemetry.object.id")
		objects[object.Str()] = true
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				r.spans++
				if span.Name() == "deployments/demo" {
					r.object = object.Str()
				}
				trace, id, parent := span.TraceID(), span.SpanID(), span.ParentSpanID()
				fixed[string(trace[:])], fixed[string(id[:])] = placeID, placeID
				if !parent.IsEmpty() {
					fixed[string(parent[:])] = placeID
				}
				when(uint64(span.StartTimestamp()))
				when(uint64(span.EndTimestamp()))
				for _, event := range span.Events().All() {
					when(uint64(event.Timestamp()))
				}
			}
		}
	}
	t := template{encoded: encoded}
	taken := make([]bool, len(encoded))
	note := func(from, to int, kind byte) {
		if bytes.Contains(boolBytes(taken[from:to]), []byte{1}) {
			return
		}
		for i := from; i < to; i++ {
			taken[i] = true
		}
		t.places = append(t.places, place{at: from, was: string(encoded[from:to]), kind: kind})
	}
	for i := range encoded {
		for _, size := range []int{16, 8} {
			if i+size <= len(encoded) {
				if kind, ok := fixed[string(encoded[i:i+size])]; ok {
					note(i, i+size, kind)
				}
			}
		}
	}
	for _, found := range uids.FindAllIndex(encoded, -1) {
		note(found[0], found[1], placeUID)
	}
	for _, found := range hex14.FindAllIndex(encoded, -1) {
		if objects[string(encoded[found[0]:found[1]])] {
			note(found[0], found[1], placeObject)
		}
	}
	for _, found := range suffix.FindAllIndex(encoded, -1) {
		note(found[0]+1, found[1], placeName)
	}
	r.batches = append(r.batches, t)
}

func boolBytes(taken []bool) []byte {
	out := make([]byte, len(taken))
	for i, t := range taken {
		if t {
			out[i] = 1
		}
	}
	return out
}

// copyOf makes a copy of all batches, encoded as one request, later by some time.
func (r *recorded) copyOf(n uint64, later time.Duration) []byte {
	var all []byte
	names := map[string][]byte{}
	for _, t := range r.batches {
		start := len(all)
		all = append(all, t.encoded...)
		for _, p := range t.places {
			at := all[start+p.at:][:len(p.was)]
			if p.kind == placeTime {
				binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)+uint64(later))
				continue
			}
			if names[p.was] == nil {
				names[p.was] = another(p, n)
			}
			copy(at, names[p.was])
		}
	}
	return all
}

// another is what stands in a place in copy n: the same wherever the same was.
func another(p place, n uint64) []byte {
	hash := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(p.was), n))
	switch p.kind {
	case placeUID:
		text := hex.EncodeToString(hash[:16])
		return []byte(text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:])
	case placeObject:
		return []byte(hex.EncodeToString(hash[:7]))
	case placeName:
		name := []byte(p.was)
		for i, c := range name {
			if c != '-' {
				name[i] = letters[int(hash[i])%len(letters)]
			}
		}
		return name
	default:
		hash[0] &= 0x7f
		return hash[:len(p.was)]
	}
}
