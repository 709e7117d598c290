// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small is a file system with as much space as the test says.
type small struct {
	vfs.FS
	free atomic.Int64
}

func (f *small) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: uint64(f.free.Load())}, nil
}

// TestWritesEndBeforeTheDiskDoes and go on when there is space again.
func TestWritesEndBeforeTheDiskDoes(t *testing.T) {
	fs, now := &small{FS: vfs.NewMem()}, &clock{at: noon}
	fs.free.Store(100)
	o := testOptions(fs, "store")
	o.MinFree, o.Now = 50, now.now
	s := open(t, o)
	write(t, s, told{trace: 1, id: 1, service: "prod"})

	fs.free.Store(49)
	now.set(noon.Add(2 * diskCheckInterval))
	_, err := s.Write(encode(spans(told{trace: 1, id: 2, service: "prod"})))
	require.ErrorIs(t, err, ErrFull)
	require.ErrorContains(t, err, "49 bytes left")
	require.ErrorIs(t, o.Observer.(*observed).last(), ErrFull)
	assert.Len(t, get(t, s, 1), 1, "reading goes on")

	fs.free.Store(50)
	now.set(noon.Add(4 * diskCheckInterval))
	write(t, s, told{trace: 1, id: 2, service: "prod"})
	require.NoError(t, o.Observer.(*observed).last())
	assert.Len(t, get(t, s, 1), 2)
}

// TestAFullDiskCostsNothingThatWasAcknowledged: the file system refuses writes all of a sudden, then takes them again.
func TestAFullDiskCostsNothingThatWasAcknowledged(t *testing.T) {
	var full atomic.Bool
	disk := &small{FS: vfs.NewMem()}
	disk.free.Store(1 << 30)
	injector := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && (strings.HasSuffix(op.Path, ".log") || strings.HasSuffix(op.Path, ".sst")) {
			return syscall.ENOSPC
		}
		return nil
	})
	o := testOptions(errorfs.Wrap(disk, injector), "store")
	o.BufferSize, o.Now, o.MinFree = 256<<10, time.Now, 1<<20
	s := open(t, o)
	acknowledged := uint64(0)
	tell := func() error {
		_, err := s.Write(encode(spans(told{trace: 1, id: acknowledged + 1, service: "prod", span: map[string]any{"text": strings.Repeat("x", 10_000)}})))
		if err == nil {
			acknowledged++
		}
		return err
	}
	for range 100 {
		require.NoError(t, tell())
	}
	// The disk is full while nobody has looked at how much is free: a write waits inside, and those after it are refused.
	full.Store(true)
	disk.free.Store(0)
	waiting := make(chan error, 1)
	refused := make(chan error, 1)
	var writer sync.WaitGroup
	writer.Go(func() { waiting <- tell() })
	writer.Go(func() {
		for {
			if err := s.disk.check(s); err != nil {
				_, err = s.Write(encode(spans(told{trace: 2, id: 1, service: "prod"})))
				refused <- err
				return
			}
		}
	})
	require.ErrorIs(t, <-refused, ErrFull)
	require.ErrorIs(t, o.Observer.(*observed).last(), ErrFull)
	full.Store(false)
	disk.free.Store(1 << 30)
	if err := <-waiting; err != nil { // stored, or refused if the check came first
		require.ErrorIs(t, err, ErrFull)
	}
	writer.Wait()
	require.Eventually(t, func() bool { return tell() == nil }, 30*time.Second, 50*time.Millisecond)
	got := get(t, s, 1)
	for id := uint64(1); id <= acknowledged; id++ {
		assert.Contains(t, got, id)
	}
}
