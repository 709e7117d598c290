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
		size := int64(db.Metrics().DiskSpaceUsage())
		for len(kept) > 0 && (size > s.o.MaxSize || len(kept) > maxSlices) {
			freed, err := db.EstimateDiskUsage(kept[0].key(), after(kept[0].key()))
			if err != nil {
				return fmt.Errorf("size of %s: %w", kept[0], err)
			}
			if len(kept) == 1 {
				s.o.Logger.Warn("A single hour of spans is larger than the store may be, and is dropped: raise max_size", zap.Stringer("hour", kept[0]))
			}
			if err := s.drop(ctx, db, kept[0], ReasonSize); err != nil {
				return err
			}
			size -= int64(freed)
			kept = kept[1:]
		}
		return nil
	})
}

// drop removes a slice: files that have nothing else are deleted, and of others a part is no longer seen.
func (s *Store) drop(ctx context.Context, db *pebble.DB, old slice, why Reason) error {
	s.retaining.Lock()
	defer s.retaining.Unlock()
	if err := db.Excise(ctx, pebble.KeyRange{Start: old.key(), End: after(old.key())}); err != nil {
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
