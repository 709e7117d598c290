// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"context"
	"fmt"
	stdslices "slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/zap"
)

// Stats are what a store has.
type Stats struct {
	// Size is what it takes on disk, in bytes.
	Size int64
	// Slices is how many hours there are of which it has something.
	Slices int
}

// Stats returns what the store has at the moment; nothing while it is not open.
func (s *Store) Stats() Stats {
	stats := Stats{}
	_ = s.use(func(db *pebble.DB) error {
		stats = Stats{Size: int64(db.Metrics().DiskSpaceUsage()), Slices: len(s.slices.between(time.Time{}, time.Time{}))}
		return nil
	})
	return stats
}

// sizesOf returns what slices take on disk, each and in total. What is still in the buffer, and what is about to be deleted, does not count: it must
// not cost spans.
func sizesOf(db *pebble.DB, of []slice) (each []int64, total int64, err error) {
	each = make([]int64, len(of))
	for i, s := range of {
		size, err := db.EstimateDiskUsage(s.key(), after(s.key()))
		if err != nil {
			return nil, 0, fmt.Errorf("size of %s: %w", s, err)
		}
		each[i] = int64(size)
		total += each[i]
	}
	return each, total, nil
}

// Retain drops the slices that are too old, and then the oldest until what is left is small enough.
func (s *Store) Retain(ctx context.Context) error {
	return s.use(func(db *pebble.DB) error {
		found := s.slices.between(time.Time{}, time.Time{})
		stdslices.Reverse(found) // oldest first
		now := s.o.Now()
		kept := found[:0]
		for _, old := range found {
			if now.Before(s.slices.keptUntil(old, s.o.MaxAge)) {
				kept = append(kept, old)
			} else if err := s.drop(ctx, db, old, ReasonAge); err != nil {
				return err
			}
		}
		sizes, total, err := sizesOf(db, kept)
		if err != nil {
			return err
		}
		for i, old := range kept {
			if total <= s.o.MaxSize && len(kept)-i <= maxSlices {
				break
			}
			if i == len(kept)-1 {
				s.o.Logger.Warn("A single hour of spans is larger than the store may be, and is dropped: raise max_size", zap.Stringer("hour", old))
			}
			if err := s.drop(ctx, db, old, ReasonSize); err != nil {
				return err
			}
			total -= sizes[i]
		}
		return nil
	})
}

// drop removes a slice: files that have nothing else are deleted, and of others a part is no longer seen.
func (s *Store) drop(ctx context.Context, db *pebble.DB, old slice, why Reason) error {
	s.retaining.Lock()
	defer s.retaining.Unlock()
	if err := s.words.drop(old, func() error {
		return db.Excise(ctx, pebble.KeyRange{Start: old.key(), End: after(old.key())})
	}); err != nil {
		return fmt.Errorf("drop %s: %w", old, err)
	}
	s.slices.forget(old)
	s.o.Observer.SliceDropped(why)
	s.o.Logger.Info("Dropped an hour of spans", zap.Stringer("hour", old), zap.Stringer("why", why))
	return nil
}

func (s slice) String() string { return s.start().Format("2006-01-02T15") }

func (r Reason) String() string {
	if r == ReasonAge {
		return "age"
	}
	return "size"
}
