// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// miss is what was asked for in vain: a life of an object, or a kind.
type miss struct {
	object identity.ID
	rest   uint64
}

var seed = maphash.MakeSeed()

func missOf(q *hierarchy.Question) miss {
	return miss{identity.ObjectID(q.Object), maphash.String(seed, q.UID)}
}

func missOfKind(k hierarchy.Kind) miss { return miss{rest: maphash.Comparable(seed, k)} }

// misses remembers what was asked for in vain, until a time. It is safe for concurrent use.
type misses struct {
	mu      sync.Mutex // guards what follows
	until   *simplelru.LRU[miss, time.Time]
	evicted int64
}

func newMisses(bound int) (*misses, error) {
	m := &misses{}
	var err error
	m.until, err = simplelru.NewLRU[miss, time.Time](bound, nil)
	return m, err
}

func (m *misses) has(what miss, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.until.Get(what)
	if ok && !now.Before(until) {
		m.until.Remove(what)
		return false
	}
	return ok
}

func (m *misses) add(what miss, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.until.Add(what, until) {
		m.evicted++
	}
}

func (m *misses) evictions() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.evicted
}
