// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// lock takes the directory for this store.
func lock(fs vfs.FS, directory string) (*pebble.Lock, error) {
	l, err := pebble.LockDirectory(directory, fs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: stop it, or give each trace_store a directory of its own: %w", directory, ErrInUse, err)
	}
	return l, nil
}

// diskState is what is known of the space on disk.
type diskState struct {
	mu      sync.Mutex
	checked time.Time
	err     error // ErrFull, with how much there is
}

// check answers ErrFull when less is free than must be. Background work needs space too, so writes end before the disk does.
func (d *diskState) check(s *Store) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := s.o.Now()
	if since := now.Sub(d.checked); since >= 0 && since < diskCheckInterval {
		return d.err
	}
	before := d.err
	usage, err := s.o.FS.GetDiskUsage(s.o.Directory)
	switch {
	case errors.Is(err, vfs.ErrUnsupported):
		d.err = nil
	case err != nil:
		d.err = fmt.Errorf("%w: how much space is left cannot be told: %w", ErrUnavailable, err)
	case usage.AvailBytes < uint64(s.o.MinFree):
		d.err = fmt.Errorf("%w: %s has %d bytes left, and %d must stay free: make room, or lower max_size", ErrFull, s.o.Directory, usage.AvailBytes, s.o.MinFree)
	default:
		d.err = nil
	}
	d.checked = now
	if (before == nil) != (d.err == nil) {
		s.o.Observer.Health(d.err)
	}
	return d.err
}

// awaitSpace is called by the library when the file system says that it is full, before check could, since others write to the disk too. What
// the library was about to write is written when this returns; until then new writes are refused.
func (s *Store) awaitSpace() {
	retry := time.NewTicker(diskCheckInterval)
	defer retry.Stop()
	s.disk.full(fmt.Errorf("%w: the file system of %s says so: make room, or lower max_size", ErrFull, s.o.Directory), s)
	for range retry.C {
		if s.disk.check(s) == nil {
			return
		}
	}
}

func (d *diskState) full(err error, s *Store) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.checked, d.err = s.o.Now(), err
	s.o.Observer.Health(err)
}
