// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"fmt"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// table keeps what is known of objects, within a bound. Those that are there can be asked for again, those that were
// deleted cannot: these stay for a time, as long as they are no more than half, and others give way. It is not safe for
// concurrent use.
type table struct {
	bound     int
	retention time.Duration
	live      *simplelru.LRU[identity.ID, lives]
	// gone is in the order of until.
	gone *simplelru.LRU[identity.ID, *grave]

	evicted, evictedGone int64
}

// grave is what is known of an object that was deleted.
type grave struct {
	lives
	at    pcommon.Timestamp
	until time.Time
}

func newTable(bound int, retention time.Duration) (*table, error) {
	if bound < 1 {
		return nil, fmt.Errorf("must hold at least one entry, got %d", bound)
	}
	t := &table{bound: bound, retention: retention}
	var err error
	if t.live, err = simplelru.NewLRU[identity.ID, lives](bound+1, nil); err != nil {
		return nil, err
	}
	t.gone, err = simplelru.NewLRU[identity.ID, *grave](bound+1, nil)
	return t, err
}

func (t *table) len() int { return t.live.Len() + t.gone.Len() }

func (t *table) get(id identity.ID) (lives, bool) {
	if known, ok := t.live.Get(id); ok {
		return known, true
	}
	if g, ok := t.gone.Peek(id); ok {
		return g.lives, true
	}
	return lives{}, false
}

// put replaces what is known. A fact from after the deletion says that the object is there again, or still.
func (t *table) put(id identity.ID, known lives, now time.Time) {
	if g, ok := t.gone.Peek(id); ok {
		if g.lives = known; known.newest.at <= g.at {
			return
		}
		t.gone.Remove(id)
	}
	t.live.Add(id, known)
	t.shrink(now)
}

// bury marks the life with that UID as deleted at a time, if it is the newest that is known.
func (t *table) bury(id identity.ID, uid string, at pcommon.Timestamp, now time.Time) {
	if g, ok := t.gone.Peek(id); ok {
		g.at = max(g.at, at)
		return
	}
	known, ok := t.live.Peek(id)
	if !ok || t.retention == 0 || at < known.newest.at || (uid != "" && known.newest.uid != "" && uid != known.newest.uid) {
		return
	}
	t.live.Remove(id)
	t.gone.Add(id, &grave{known, at, now.Add(t.retention)})
}

func (t *table) shrink(now time.Time) {
	for t.len() > t.bound {
		_, oldest, ok := t.gone.GetOldest()
		switch {
		case ok && !now.Before(oldest.until):
			t.gone.RemoveOldest()
			t.evicted++
		case t.gone.Len() > t.bound/2:
			t.gone.RemoveOldest()
			t.evictedGone++
		default:
			t.live.RemoveOldest()
			t.evicted++
		}
	}
}
