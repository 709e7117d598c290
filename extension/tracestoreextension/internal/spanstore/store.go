// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

var (
	// ErrFull is what a write is answered with while the disk has too little space. Nothing of it is stored; it may be tried again.
	ErrFull = errors.New("the disk is full")
	// ErrUnavailable is what everything is answered with once the store is closed, or when the disk does not answer.
	ErrUnavailable = errors.New("the store is not open")
	// errDamaged is what reading finds if the disk does not hold what was written.
	errDamaged = errors.New("the store is damaged")
	// ErrMalformed is what a write of something else than OTLP is answered with. Nothing of it is stored.
	ErrMalformed = errors.New("the request is malformed")
	// ErrFormat is what Open answers when the directory is from another version.
	ErrFormat = errors.New("it was written by another version of trace_store, whose files this one cannot read")
	// ErrInUse is what Open answers when another process, or another store of this one, has the directory.
	ErrInUse = errors.New("another process uses this directory, and only one can")
)

// Store is an open store. It is safe for concurrent use.
type Store struct {
	o       Options
	indexed terms
	lock    *pebble.Lock
	slices  *slices
	words   *dictionaries

	mu sync.RWMutex // guards db: who uses it holds mu shared for as long
	db *pebble.DB   // nil once it is closed

	// retaining is held shared by a write until it is committed, and alone by who drops slices.
	retaining sync.RWMutex

	disk diskState

	cutWarnings rate.Sometimes

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Open opens the store in a directory and keeps it within its bounds until Close.
func Open(o Options) (_ *Store, err error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	s := &Store{o: o, indexed: terms{}, slices: newSlices(o.Indexed), cutWarnings: rate.Sometimes{First: 1, Interval: time.Minute}}
	for _, key := range o.Indexed {
		s.indexed[key] = struct{}{}
	}
	s.words = &dictionaries{terms: s.indexed, each: map[slice]*dictionary{}}
	if err := o.FS.MkdirAll(o.Directory, 0o700); err != nil {
		return nil, fmt.Errorf("make %s: %w", o.Directory, err)
	}
	if s.lock, err = lock(o.FS, o.Directory); err != nil {
		return nil, err
	}
	if err := s.openDatabase(); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	if err := s.slices.load(s.db); err != nil {
		return nil, errors.Join(err, s.db.Close(), s.lock.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.running.Go(func() { s.maintain(ctx) })
	return s, nil
}

func (s *Store) openDatabase() error {
	cache := pebble.NewCache(s.o.CacheSize)
	defer cache.Unref() // the database has its own reference
	db, err := pebble.Open(s.o.Directory, s.databaseOptions(cache))
	if err != nil {
		if strings.Contains(err.Error(), "comparer name from file") { // the library has no error for it
			err = fmt.Errorf("%w: give it another directory, or remove this one if nobody needs its traces: %w", ErrFormat, err)
		}
		return fmt.Errorf("open %s: %w", s.o.Directory, err)
	}
	s.db = db
	return nil
}

// Close ends what is under way and closes the files. While the disk is full it waits for space. It is safe to call twice.
func (s *Store) Close() error {
	s.cancel()
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db = nil
	return errors.Join(db.Close(), s.lock.Close())
}

// use calls do with the database, which stays open meanwhile.
func (s *Store) use(do func(*pebble.DB) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return ErrUnavailable
	}
	return do(s.db)
}

// Written is what became of the spans of a Write.
type Written struct {
	// Stored are on disk. Invalid have no trace or span ID, and cannot be stored.
	Stored, Invalid int
}

// Write stores spans, encoded as OTLP encodes a request. When it returns nil they are on disk; when it returns an error some may be, and a second
// attempt does no harm. Writes that come at the same time share the wait for the disk.
func (s *Store) Write(request []byte) (Written, error) {
	if err := s.disk.check(s); err != nil {
		return Written{}, err
	}
	var written Written
	err := s.use(func(db *pebble.DB) error {
		s.retaining.RLock()
		defer s.retaining.RUnlock()
		r := newRows(db, s.indexed, s.words, len(request))
		defer r.close()
		if err := r.add(request); err != nil {
			return err
		}
		written = Written{Stored: r.stored, Invalid: r.invalid}
		if r.stored == 0 {
			return nil
		}
		if err := s.slices.note(r, s.o.Now()); err != nil {
			return err
		}
		if err := r.batch.Commit(pebble.Sync); err != nil {
			return err
		}
		r.committed()
		return nil
	})
	if err != nil {
		return Written{}, err
	}
	return written, nil
}

// maintain applies retention.
func (s *Store) maintain(ctx context.Context) {
	every := time.NewTicker(s.o.CheckInterval)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if err := s.Retain(ctx); err != nil && ctx.Err() == nil {
				s.o.Logger.Warn("Old spans could not be dropped; trying again", zap.Error(err))
			}
		}
	}
}
