// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOddTimesMakeBoundedlyManySlices: whoever may write spans chooses their times, and each hour is a slice.
func TestOddTimesMakeBoundedlyManySlices(t *testing.T) {
	s := open(t, testOptions(vfs.NewMem(), "store"))
	var spans []told
	for hour := range maxSlices + 50 {
		spans = append(spans, told{trace: 1, id: uint64(hour + 1), service: "prod", name: "odd", at: time.Duration(hour-maxSlices/2) * time.Hour})
	}
	for len(spans) > 0 {
		n := min(1000, len(spans))
		write(t, s, spans[:n]...)
		spans = spans[n:]
	}
	require.NoError(t, s.Retain(t.Context()))
	assert.Equal(t, maxSlices, s.Stats().Slices)
}
