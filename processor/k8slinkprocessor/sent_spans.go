// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/bits"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// sentSpans remembers which object spans, or link spans, were emitted. Forgetting one costs a copy with the same ID.
type sentSpans struct {
	seed maphash.Seed

	keysMu  sync.Mutex
	keys    *simplelru.LRU[sentKey, struct{}]
	evicted int64
}

// sentKey is an object span and its place in the tree: when either its parent or its owners become known anew, it is
// emitted again; so it is when its tags or trace contexts do, when it is found to have been shown elsewhere, and when twice as
// many spans were folded. Only the knowledge that there are no owners is not worth a second copy.
type sentKey struct {
	span    pcommon.SpanID
	content uint64
}

func newSentSpans(bound int) (*sentSpans, error) {
	s := &sentSpans{seed: maphash.MakeSeed()}
	keys, err := simplelru.NewLRU(bound, func(sentKey, struct{}) { s.evicted++ })
	if err != nil {
		return nil, fmt.Errorf("making the table of object spans: %w", err)
	}
	s.keys = keys
	return s, nil
}

func (s *sentSpans) key(o objectSpan) sentKey {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.Write(o.parent[:])
	if owners, ok := o.node.Owners(); ok && !owners.None() {
		_, _ = h.WriteString(owners.JSON)
	}
	if o.profile != nil && o.profile.digest != 0 {
		var digest [8]byte
		binary.NativeEndian.PutUint64(digest[:], o.profile.digest)
		_, _ = h.Write(digest[:])
	}
	if o.late || o.folded > 0 {
		_, _ = h.Write([]byte{1, byte(bits.Len64(uint64(o.folded)))})
		if o.late {
			_ = h.WriteByte(1)
		}
		if o.exact {
			var n [8]byte
			binary.NativeEndian.PutUint64(n[:], uint64(o.folded))
			_, _ = h.Write(n[:])
		}
	}
	return sentKey{o.span, h.Sum64()}
}

// missing returns those of the spans that were not sent yet, and their keys.
func (s *sentSpans) missing(spans []objectSpan) ([]objectSpan, []sentKey) {
	keys := make([]sentKey, len(spans))
	for i, o := range spans {
		keys[i] = s.key(o)
	}
	n := 0
	for _, i := range s.unsent(keys) {
		spans[n], keys[n] = spans[i], keys[i]
		n++
	}
	return spans[:n], keys[:n]
}

// unsent returns the indices of the keys that were not sent yet, in ascending order.
func (s *sentSpans) unsent(keys []sentKey) []int {
	var missing []int
	s.keysMu.Lock()
	defer s.keysMu.Unlock()
	for i, key := range keys {
		if _, ok := s.keys.Get(key); !ok {
			missing = append(missing, i)
		}
	}
	return missing
}

// add remembers spans as sent.
func (s *sentSpans) add(keys []sentKey) {
	s.keysMu.Lock()
	defer s.keysMu.Unlock()
	for _, key := range keys {
		s.keys.Add(key, struct{}{})
	}
}

func (s *sentSpans) evictions() int64 {
	s.keysMu.Lock()
	defer s.keysMu.Unlock()
	return s.evicted
}
