// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/lookup"

import (
	"math"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// key is what is asked for. The version is not in it: it is the same object in each.
type key struct {
	resource        schema.GroupResource
	namespace, name string
}

// answer is what the API server says of an object: it, or that there is none, or that it may not be read.
type answer struct {
	result Result
	object *metav1.PartialObjectMetadata // with Found
}

type entry struct {
	answer
	expires time.Time
	size    int64
}

// cache keeps answers for their time, within a number of bytes; those not used for longest give way.
//
// Expired ones go when they are asked for or are the oldest. The library's cache that lets entries expire by itself has a
// goroutine that nothing stops.
type cache struct {
	limit int64

	mu      sync.Mutex // guards what follows
	entries *simplelru.LRU[key, entry]
	size    int64
	evicted int64
}

func newCache(limit int64) *cache {
	c := &cache{limit: limit}
	var err error
	c.entries, err = simplelru.NewLRU(math.MaxInt, func(_ key, e entry) { c.size -= e.size })
	if err != nil {
		panic(err) // of a size that is not positive
	}
	return c
}

func (c *cache) get(k key, now time.Time) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries.Get(k)
	if ok && !now.Before(e.expires) {
		c.entries.Remove(k)
		ok = false
	}
	return e.answer, ok
}

// largestPart of the cache that one entry may take: a larger one would empty it.
const largestPart = 16

func (c *cache) put(k key, a answer, expires time.Time) {
	e := entry{answer: a, expires: expires, size: size(k, a)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Remove(k) // the library tells nobody of an entry that is replaced
	if e.size > c.limit/largestPart {
		c.evicted++
		return
	}
	c.entries.Add(k, e)
	c.size += e.size
	for c.size > c.limit {
		c.entries.RemoveOldest()
		c.evicted++
	}
}

// Usage is what a cache holds, and how many entries it gave up because it was full.
type Usage struct {
	Entries, Bytes, Evicted int64
}

func (c *cache) usage() Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Usage{Entries: int64(c.entries.Len()), Bytes: c.size, Evicted: c.evicted}
}

// perEntry is what an entry takes besides its texts: its places in the map and in the list, and the struct of the object.
const perEntry, perObject = 320, 512

// size estimates the memory of an entry. The encoded form of metadata is nearly all text; maps and slices double it.
func size(k key, a answer) int64 {
	n := perEntry + len(k.resource.Group) + len(k.resource.Resource) + len(k.namespace) + len(k.name)
	if a.object != nil {
		n += perObject + 2*a.object.Size()
	}
	return int64(n)
}
