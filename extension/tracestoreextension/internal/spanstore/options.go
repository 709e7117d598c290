// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
)

// Options say how to keep spans. All of them are required but for those that say otherwise.
type Options struct {
	// Directory is where the files are. It is made if it is not there.
	Directory string
	// MaxAge is for how long a slice is kept, counted from its end or from when it was last written, whichever is later.
	MaxAge time.Duration
	// MaxSize is how many bytes on disk the store takes before the oldest slices are dropped.
	MaxSize int64
	// MinFree is how many bytes must be free on the disk for anything to be written.
	MinFree int64
	// CheckInterval is how often retention is applied.
	CheckInterval time.Duration
	// CacheSize is the memory for blocks that were read, in bytes, and BufferSize that for what has not been written to tables yet.
	CacheSize, BufferSize int64
	// Indexed are the attributes that searches find without reading spans.
	Indexed []string
	// MaxRead is how many traces a search reads at most to find those that are asked for.
	MaxRead int
	// MaxOperations is how many operations of a service are listed at most.
	MaxOperations int
	// Observer is told what happens.
	Observer Observer
	// Logger is optional.
	Logger *zap.Logger
	// FS is the file system; the operating system's if it is nil.
	FS vfs.FS
	// Now is the clock; the operating system's if it is nil.
	Now func() time.Time
}

// Observer is told what somebody who runs a store wants to know. Its methods must not block.
type Observer interface {
	// SliceDropped is called for each slice that retention drops.
	SliceDropped(Reason)
	// SearchCut is called for each search that found less than it might have, because of MaxRead.
	SearchCut()
	// Health is called when the store can no longer be written, with why, and with nil when it can be again.
	Health(error)
}

// Reason is why a slice was dropped.
type Reason int

// The reasons.
const (
	ReasonAge Reason = iota
	ReasonSize
)

const (
	// blockSize is large because spans of a trace lie together and are alike.
	blockSize = 256 << 10
	// maxSlices bounds what spans with odd times can make: more than a year of slices.
	maxSlices = 10_000
	// diskCheckInterval is how old what is known of the free space may be.
	diskCheckInterval = time.Second
	// writtenResolution is how exactly it is known when a slice was last written.
	writtenResolution = time.Minute
	// maxOpenFiles bounds the files that are open at once.
	maxOpenFiles = 500
)
