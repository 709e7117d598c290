// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func contextThatEnded(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

// TestOldHoursAreDropped, but not before what was written into them late has been kept for as long as all else.
func TestOldHoursAreDropped(t *testing.T) {
	fs, now := vfs.NewMem(), &clock{at: noon}
	o := testOptions(fs, "store")
	o.Now = now.now
	s, err := Open(o)
	require.NoError(t, err)
	write(t, s, told{trace: 1, id: 1, service: "prod", name: "old"}, told{trace: 2, id: 1, service: "prod", name: "young", at: 10 * time.Hour})
	write(t, s, told{trace: 3, id: 1, service: "prod", name: "recorded years ago", at: -20000 * time.Hour})

	now.set(noon.Add(23 * time.Hour))
	write(t, s, told{trace: 3, id: 2, service: "prod", name: "recorded years ago", at: -20000 * time.Hour})
	require.NoError(t, s.Retain(t.Context()))
	assert.Equal(t, 3, s.Stats().Slices)

	now.set(noon.Add(25*time.Hour + time.Minute))
	require.NoError(t, s.Retain(t.Context()))
	assert.Empty(t, get(t, s, 1))
	assert.Len(t, get(t, s, 2), 1)
	assert.Len(t, get(t, s, 3), 2)
	assert.Equal(t, map[Reason]int{ReasonAge: 1}, o.Observer.(*observed).dropped)
	require.NoError(t, s.Close())

	s = open(t, o) // knows when each was written
	now.set(noon.Add(48 * time.Hour))
	require.NoError(t, s.Retain(t.Context()))
	assert.Equal(t, 0, s.Stats().Slices)
	services, err := s.Services(t.Context())
	require.NoError(t, err)
	assert.Empty(t, services)
}

func TestTheOldestHoursGoWhenThereIsTooMuch(t *testing.T) {
	dir := t.TempDir()
	o := testOptions(nil, dir)
	o.BufferSize = 1 << 20
	s, err := Open(o)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	for hour := range 6 {
		for range 20 {
			var batch []told
			for i := range uint64(50) {
				text := make([]byte, 0, 2000)
				for len(text) < 2000 {
					text = strconv.AppendUint(text, random.Uint64(), 36)
				}
				batch = append(batch, told{trace: uint64(hour + 1), id: random.Uint64() | i + 1, service: "prod", at: time.Duration(hour) * time.Hour, span: map[string]any{"text": string(text)}})
			}
			write(t, s, batch...)
		}
	}
	require.NoError(t, s.db.Flush())
	require.NoError(t, s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false))
	require.Equal(t, 6, s.Stats().Slices)
	_, total, err := sizesOf(s.db, s.slices.between(time.Time{}, time.Time{}))
	require.NoError(t, err)
	s.o.MaxSize = total * 2 / 3
	require.NoError(t, s.Retain(t.Context()))
	left := s.Stats().Slices
	assert.Less(t, left, 6)
	assert.GreaterOrEqual(t, left, 2)
	assert.Empty(t, get(t, s, 1))
	assert.Len(t, get(t, s, 6), 1000)
	assert.Equal(t, map[Reason]int{ReasonSize: 6 - left}, o.Observer.(*observed).dropped)
	_, total, err = sizesOf(s.db, s.slices.between(time.Time{}, time.Time{}))
	require.NoError(t, err)
	assert.LessOrEqual(t, total, s.o.MaxSize)

	s.o.MaxSize = 0 // an hour alone is too large: the bound holds
	require.NoError(t, s.Retain(t.Context()))
	assert.Zero(t, s.Stats().Slices)
	require.NoError(t, s.Close())
}
