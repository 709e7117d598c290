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
type answer[T any] struct {
	result Result
	object T // with Found
}

type entry[T any] struct {
	answer[T]
	expires time.Time
	size    int64
}

// cache keeps answers for their time, within a number of bytes; those not used for longest give way.
//
// Expired ones go when they are asked for or are the oldest. The library's cache that lets entries expire by itself has a
// goroutine that nothing stops.
type cache[T any] struct {
	limit int64
	// size estimates the memory that an object takes.
	size func(T) int64

	mu      sync.Mutex // guards what follows
	entries *simplelru.LRU[key, entry[T]]
	used    int64
	evicted int64
}

func newCache[T any](limit int64, size func(T) int64) *cache[T] {
	c := &cache[T]{limit: limit, size: size}
	var err error
	c.entries, err = simplelru.NewLRU(math.MaxInt, func(_ key, e entry[T]) { c.used -= e.size })
	if err != nil {
		panic(err) // of a size that is not positive
	}
	return c
}

func (c *cache[T]) get(k key, now time.Time) (answer[T], bool) {
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

func (c *cache[T]) put(k key, a answer[T], expires time.Time) {
	e := entry[T]{answer: a, expires: expires, size: c.sizeOf(k, a)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Remove(k) // the library tells nobody of an entry that is replaced
	if e.size > c.limit/largestPart {
		c.evicted++
		return
	}
	c.entries.Add(k, e)
	c.used += e.size
	for c.used > c.limit {
		c.entries.RemoveOldest()
		c.evicted++
	}
}

// Usage is what a cache holds, and how many entries it gave up because it was full.
type Usage struct {
	Entries, Bytes, Evicted int64
}

func (c *cache[T]) usage() Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Usage{Entries: int64(c.entries.Len()), Bytes: c.used, Evicted: c.evicted}
}

// perObject is what the struct of an object's metadata takes, besides its texts.
const perObject = 512

// SizeOfMetadata estimates the memory that metadata takes. The encoded form is nearly all text; maps and slices double it.
func SizeOfMetadata(object *metav1.PartialObjectMetadata) int64 {
	return perObject + 2*int64(object.Size())
}

// perEntry is what an entry takes besides its texts: its places in the map and in the list.
const perEntry = 320

// sizeOf estimates the memory of an entry.
func (c *cache[T]) sizeOf(k key, a answer[T]) int64 {
	n := int64(perEntry + len(k.resource.Group) + len(k.resource.Resource) + len(k.namespace) + len(k.name))
	if a.result == Found {
		n += c.size(a.object)
	}
	return n
}
