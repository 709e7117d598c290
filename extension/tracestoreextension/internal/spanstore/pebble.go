// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
)

// databaseOptions are those of the library.
func (s *Store) databaseOptions(cache *pebble.Cache) *pebble.Options {
	o := &pebble.Options{
		FS:       vfs.OnDiskFull(s.o.FS, s.awaitSpace),
		Lock:     s.lock,
		Comparer: comparer,
		Merger:   richerWins,
		// Never newer than what this version of the library is tested with; a newer library reads it.
		FormatMajorVersion: pebble.FormatNewest,
		Cache:              cache,
		// Two: one that is filled while the other is written to a table.
		MemTableSize:                uint64(s.o.BufferSize / 2),
		MemTableStopWritesThreshold: 3,
		MaxOpenFiles:                maxOpenFiles,
		L0CompactionThreshold:       4,
		Logger:                      &logger{s.o.Logger.Sugar()},
		// One compaction at a time leaves the other cores to those who write and read, two when it falls behind.
		CompactionConcurrencyRange: func() (lower, upper int) { return 1, 2 },
	}
	o.EventListener = &pebble.EventListener{BackgroundError: func(err error) {
		s.o.Logger.Warn("Background work of the store failed and is tried again", zap.Error(err))
	}}
	// Level 0 is short-lived. All others are packed well, as most tables are moved down without being written again.
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings {
		settings := pebble.UniformDBCompressionSettings(block.BalancedCompression)
		settings.Levels[0] = block.FastestCompression
		return settings
	})
	for i := range o.Levels {
		o.Levels[i].BlockSize = blockSize
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	o.TargetFileSizes[0] = 4 << 20
	// Rows of a trace are different things, and not versions of one of which most readers want the newest.
	o.Experimental.SpanPolicyFunc = func([]byte) (policy pebble.SpanPolicy, end []byte, err error) {
		return pebble.SpanPolicy{DisableValueSeparationBySuffix: true}, nil, nil
	}
	return o
}

// logger gives what the library says to ours: what it says of itself only for those who debug.
type logger struct{ *zap.SugaredLogger }

func (l *logger) Infof(format string, args ...any) { l.Debugf(format, args...) }

// Fatalf must not return. It is for a disk that fails, but for one that is full: see awaitSpace. Nobody can tell then what of the files is
// on disk, so the process ends, and the next one reads what is.
func (l *logger) Fatalf(format string, args ...any) {
	l.SugaredLogger.Fatalf("The disk failed, and the process ends so that what was acknowledged can be recovered: "+format, args...)
}
