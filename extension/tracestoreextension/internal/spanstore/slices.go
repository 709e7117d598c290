// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	stdslices "slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// slices knows which slices there are, and about each what its row says.
type slices struct {
	indexed []string // the attributes that are indexed now, sorted

	mu   sync.Mutex
	each map[slice]sliceState
}

// sliceState is what a slice's own row says.
type sliceState struct {
	// written is when the slice was last written.
	written time.Time
	// indexed are the attributes that have been indexed in all of its spans.
	indexed []string
}

func newSlices(indexed []string) *slices {
	s := &slices{indexed: stdslices.Clone(indexed), each: map[slice]sliceState{}}
	stdslices.Sort(s.indexed)
	s.indexed = stdslices.Compact(s.indexed)
	return s
}

func (s sliceState) encode() []byte {
	value := binary.BigEndian.AppendUint64(nil, uint64(s.written.Unix()))
	return append(value, strings.Join(s.indexed, "\x00")...)
}

// decodeSliceState is the reverse of encode.
func decodeSliceState(value []byte) (state sliceState, ok bool) {
	if len(value) < 8 {
		return sliceState{}, false
	}
	state.written = time.Unix(int64(binary.BigEndian.Uint64(value)), 0)
	if len(value) > 8 {
		state.indexed = strings.Split(string(value[8:]), "\x00")
	}
	return state, true
}

// load reads the slices of a database, one seek for each.
func (s *slices) load(db *pebble.DB) error {
	it, err := db.NewIter(nil)
	if err != nil {
		return fmt.Errorf("list slices: %w", err)
	}
	defer func() { _ = it.Close() }()
	for ok := it.First(); ok; {
		found := sliceOfKey(it.Key())
		state := sliceState{written: found.start().Add(sliceLength)}
		value, closer, err := db.Get(found.prefix(kindState))
		if err == nil {
			if stored, ok := decodeSliceState(value); ok {
				state = stored
			}
			_ = closer.Close()
		} else if !errors.Is(err, pebble.ErrNotFound) {
			return fmt.Errorf("list slices: %w", err)
		}
		s.each[found] = state
		ok = it.SeekGE(after(found.key()))
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("list slices: %w", err)
	}
	return nil
}

// note adds to the rows that their slices are written now, unless it is known from a moment ago.
func (s *slices) note(r *rows, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for found := range r.dictionaries {
		state, known := s.each[found]
		indexed := s.indexed
		if known {
			indexed = stdslices.DeleteFunc(stdslices.Clone(state.indexed), func(key string) bool { return !stdslices.Contains(s.indexed, key) })
		}
		since := now.Sub(state.written)
		if known && since >= 0 && since < writtenResolution && len(indexed) == len(state.indexed) {
			continue
		}
		state = sliceState{written: now, indexed: indexed}
		if err := r.batch.Set(found.prefix(kindState), state.encode(), nil); err != nil {
			return err
		}
		s.each[found] = state
	}
	return nil
}

// isIndexed says whether all spans of a slice are found by an attribute.
func (s *slices) isIndexed(in slice, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return stdslices.Contains(s.each[in].indexed, key)
}

// between returns the slices that have a part between the times, the newest first. A zero time is no bound.
func (s *slices) between(from, to time.Time) []slice {
	s.mu.Lock()
	found := stdslices.Collect(maps.Keys(s.each))
	s.mu.Unlock()
	found = stdslices.DeleteFunc(found, func(a slice) bool {
		return !to.IsZero() && a.start().After(to) || !from.IsZero() && !a.start().Add(sliceLength).After(from)
	})
	stdslices.SortFunc(found, func(a, b slice) int { return cmp.Compare(b, a) })
	return found
}

// forget removes a slice.
func (s *slices) forget(dropped slice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.each, dropped)
}

// keptUntil is from when on a slice is too old.
func (s *slices) keptUntil(of slice, maxAge time.Duration) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := of.start().Add(sliceLength)
	if written := s.each[of].written; written.After(until) {
		until = written
	}
	return until.Add(maxAge)
}
