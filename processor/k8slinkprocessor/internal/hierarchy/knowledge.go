// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Knowledge is what is remembered from batch to batch. It is safe for concurrent use.
//
// Objects are keyed by object id, 7 bytes instead of five strings, which nearly halves the memory (BenchmarkObjectMemory).
// Two of 100,000 objects share an id with a chance of 10⁻⁷; they would share their spans in every storage anyway.
type Knowledge struct {
	types    *Types
	maxDepth int

	factsMu sync.Mutex
	facts   *simplelru.LRU[identity.ID, lives]
	evicted int64
}

// NewKnowledge starts with nothing. At most maxObjects objects are remembered, and as many custom types; chains have
// at most maxDepth objects.
func NewKnowledge(maxObjects, maxDepth int) (*Knowledge, error) {
	types, err := newTypes(maxObjects)
	if err != nil {
		return nil, fmt.Errorf("making the table of types: %w", err)
	}
	k := &Knowledge{types: types, maxDepth: maxDepth}
	k.facts, err = simplelru.NewLRU(maxObjects, func(identity.ID, lives) { k.evicted++ })
	if err != nil {
		return nil, fmt.Errorf("making the table of objects: %w", err)
	}
	return k, nil
}

// Types returns the mapping of kinds to resources.
func (k *Knowledge) Types() *Types { return k.types }

// Complete learns what the forest was taught and finds the ancestors of all its objects: by what this batch and the
// cache together know. It goes up level by level, so that the lock is held for looking up only.
func (k *Knowledge) Complete(f *Forest) {
	k.climb(f, f.subjects, k.learn(f))
}

// Extend finds the ancestors of what was mentioned since the forest was completed.
func (k *Knowledge) Extend(f *Forest) {
	mentioned := f.mentioned
	f.mentioned = nil
	k.climb(f, mentioned, nil)
}

// climb finds the owners of nodes, the owners of those, and so on.
func (k *Knowledge) climb(f *Forest, level []*Node, fresh map[identity.ID]lives) {
	for depth := 1; len(level) > 0; depth++ {
		k.recall(level, fresh)
		var above []*Node
		for _, n := range level {
			next, ok := k.above(f, n)
			f.sources[n.source]++
			if !ok || depth == k.maxDepth {
				continue
			}
			owner, created := f.ancestor(next)
			n.owner = owner
			if created {
				above = append(above, owner)
			}
		}
		level = above
	}
}

// above finds what a node is placed under: its owner, else what a link names.
func (k *Knowledge) above(f *Forest, n *Node) (objectspan.Resource, bool) {
	if n.owned() {
		ref, _ := n.believed.owners.Value().Owner()
		return k.types.owner(n.Object, ref), true
	}
	if f.foster == nil || n.Name == "" {
		return objectspan.Resource{}, false
	}
	r, ok := f.foster(n)
	if ok {
		n.source = SourceLink
	}
	return r, ok
}

// learn adds the lessons of a batch to the cache and returns the knowledge about the objects they concern, which
// serves this batch even if the cache has no room for it.
func (k *Knowledge) learn(f *Forest) map[identity.ID]lives {
	fresh := make(map[identity.ID]lives, len(f.subjects))
	k.factsMu.Lock()
	defer k.factsMu.Unlock()
	for _, n := range f.subjects {
		if !n.taught {
			continue
		}
		known, ok := fresh[n.ID]
		if !ok {
			known, ok = k.facts.Get(n.ID)
		}
		if ok {
			known = known.with(n.lesson)
		} else {
			known = firstFact(n.lesson)
		}
		fresh[n.ID] = known
		if len(n.UID) <= maxText {
			k.facts.Add(n.ID, known)
		}
	}
	return fresh
}

// recall finds the owners of the nodes.
func (k *Knowledge) recall(nodes []*Node, fresh map[identity.ID]lives) {
	k.factsMu.Lock()
	defer k.factsMu.Unlock()
	for _, n := range nodes {
		if n.Name == "" {
			n.source = SourceNone // a collection
			continue
		}
		known, taught := fresh[n.ID]
		if !taught {
			var ok bool
			if known, ok = k.facts.Get(n.ID); !ok {
				continue
			}
		}
		n.believe(known, taught)
	}
}

// believe takes the fact about the node's life for true.
func (n *Node) believe(known lives, taught bool) {
	f, ok := known.of(n.UID)
	if !ok {
		return
	}
	n.believed, n.known = f, true
	switch _, owned := f.owners.Value().Owner(); {
	case !owned:
		n.source = SourceNone
	case taught:
		n.source = SourceBatch
	default:
		n.source = SourceCache
	}
}

// Stats is for metrics.
type Stats struct {
	Objects                      int64
	EvictedObjects, EvictedTypes int64
}

// Stats counts what is remembered and what had to be forgotten.
func (k *Knowledge) Stats() Stats {
	k.factsMu.Lock()
	stats := Stats{Objects: int64(k.facts.Len()), EvictedObjects: k.evicted}
	k.factsMu.Unlock()

	k.types.learnedMu.Lock()
	stats.EvictedTypes = k.types.evicted
	k.types.learnedMu.Unlock()
	return stats
}
