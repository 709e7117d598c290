// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"context"
	"fmt"
	"sync"
	"time"

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
	facts   *table
	now     func() time.Time
}

// Bounds limit what is remembered.
type Bounds struct {
	// Objects is how many objects are remembered, and how many custom types.
	Objects int
	// Depth is how many objects a chain may have.
	Depth int
	// Retention is how long deleted objects are remembered in preference to others.
	Retention time.Duration
}

// NewKnowledge starts with nothing. The clock says how long deleted objects have been remembered.
func NewKnowledge(bounds Bounds, now func() time.Time) (*Knowledge, error) {
	types, err := newTypes(bounds.Objects)
	if err != nil {
		return nil, fmt.Errorf("making the table of types: %w", err)
	}
	k := &Knowledge{types: types, maxDepth: bounds.Depth, now: now}
	k.facts, err = newTable(bounds.Objects, bounds.Retention)
	if err != nil {
		return nil, fmt.Errorf("making the table of objects: %w", err)
	}
	return k, nil
}

// Types returns the mapping of kinds to resources.
func (k *Knowledge) Types() *Types { return k.types }

// Complete learns what the forest was taught and finds the ancestors of all its objects: by what this batch and the
// cache together know, and then by what the finder, if there is one, finds out of those that they do not know.
func (k *Knowledge) Complete(ctx context.Context, f *Forest, finder Finder) {
	k.climb(ctx, f, f.subjects, k.learn(f), finder)
}

// Extend finds the ancestors of what was mentioned since the forest was completed, without looking anything up.
func (k *Knowledge) Extend(f *Forest) {
	mentioned := f.mentioned
	f.mentioned = nil
	k.climb(context.Background(), f, mentioned, nil, nil)
}

// climb finds the owners of nodes, the owners of those, and so on. It goes up level by level, so that the lock is held for
// short, and what is looked up is looked up together.
func (k *Knowledge) climb(ctx context.Context, f *Forest, level []*Node, fresh map[identity.ID]lives, finder Finder) {
	for depth := 1; len(level) > 0; depth++ {
		k.recall(level, fresh)
		if finder != nil {
			k.find(ctx, level, finder)
			k.findKinds(ctx, level, finder)
		}
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
	if owner, ok := k.ownerOf(f, n); ok {
		return owner, true
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

// ownerOf is the owner of a node. That is none which cannot be one.
func (k *Knowledge) ownerOf(f *Forest, n *Node) (objectspan.Resource, bool) {
	if !n.owned() {
		return objectspan.Resource{}, false
	}
	ref, _ := n.believed.owners.Value().Owner()
	owner, ok := k.types.owner(n.Object, ref)
	if !ok {
		f.misplaced++
		n.source = SourceNone
	}
	return owner, ok
}

// learn adds the lessons of a batch to the cache and returns the knowledge about the objects they concern, which
// serves this batch even if the cache has no room for it.
func (k *Knowledge) learn(f *Forest) map[identity.ID]lives {
	fresh := make(map[identity.ID]lives, len(f.subjects))
	now := k.now()
	k.factsMu.Lock()
	defer k.factsMu.Unlock()
	for _, n := range f.subjects {
		if !n.taught {
			continue
		}
		known, ok := fresh[n.ID]
		if !ok {
			known, ok = k.facts.get(n.ID)
		}
		if ok {
			known = known.with(n.lesson)
		} else {
			known = firstFact(n.lesson)
		}
		fresh[n.ID] = known
		if len(n.UID) <= maxText {
			k.facts.put(n.ID, known, now)
		}
	}
	for _, n := range f.subjects {
		if n.deleted > 0 {
			k.facts.bury(n.ID, n.UID, n.deleted, now)
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
			if known, ok = k.facts.get(n.ID); !ok {
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
	Objects                                      int64
	EvictedObjects, EvictedDeleted, EvictedTypes int64
}

// Stats counts what is remembered and what had to be forgotten.
func (k *Knowledge) Stats() Stats {
	k.factsMu.Lock()
	stats := Stats{Objects: int64(k.facts.len()), EvictedObjects: k.facts.evicted, EvictedDeleted: k.facts.evictedGone}
	k.factsMu.Unlock()

	k.types.learnedMu.Lock()
	stats.EvictedTypes = k.types.evicted
	k.types.learnedMu.Unlock()
	return stats
}
