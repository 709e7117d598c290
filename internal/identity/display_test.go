// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestDisplayRange(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		return parsed
	}
	for _, test := range []struct {
		name, start, end, wantStart, wantEnd string
		clipped                              bool
	}{
		{"whole units stay", "2026-03-04T12:00:00Z", "2026-03-04T14:00:00Z", "2026-03-04T12:00:00Z", "2026-03-04T14:00:00Z", false},
		{"others are widened", "2026-03-04T12:14:59.9Z", "2026-03-04T14:00:00.000000001Z", "2026-03-04T12:00:00Z", "2026-03-04T14:15:00Z", false},
		{"a moment has a range", "2026-03-04T12:00:00Z", "2026-03-04T12:00:00Z", "2026-03-04T12:00:00Z", "2026-03-04T12:15:00Z", false},
		{"of a long range the end remains", "2026-01-01T00:00:00Z", "2026-03-04T00:00:00Z", "2026-01-20T08:15:00Z", "2026-03-04T00:00:00Z", true},
		{"before the epoch there is nothing", "2024-12-31T23:00:00Z", "2025-01-01T01:00:00Z", "2025-01-01T00:00:00Z", "2025-01-01T01:00:00Z", true},
		{"wholly before the epoch", "1999-01-01T00:00:00Z", "1999-01-01T01:00:00Z", "2025-01-01T00:00:00Z", "2025-01-01T00:15:00Z", true},
		{"upside down", "2026-03-04T14:00:00Z", "2026-03-04T12:00:00Z", "2026-03-04T14:00:00Z", "2026-03-04T14:15:00Z", false},
		{"as long as can be", "2026-01-01T00:00:00Z", "2026-02-12T15:45:00Z", "2026-01-01T00:00:00Z", "2026-02-12T15:45:00Z", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, clipped := NewDisplay(1, ID{1}, at(test.start), at(test.end))
			assert.Equal(t, at(test.wantStart), d.Start())
			assert.Equal(t, at(test.wantEnd), d.End())
			assert.Equal(t, test.clipped, clipped)
			again, ok := ParseDisplay(d.TraceID())
			assert.True(t, ok)
			assert.Equal(t, d, again)
		})
	}
}

func TestWhatIsNoDisplayID(t *testing.T) {
	d, _ := NewDisplay(0x20000000, ObjectID(hello), time.Unix(1772625600, 0), time.Unix(1772632800, 0))
	for name, change := range map[string]func(*pcommon.TraceID){
		"another first byte": func(id *pcommon.TraceID) { id[0] = 0xfe },
		"no time at all":     func(id *pcommon.TraceID) { id[7] &= 0xf0; id[8] = 0 },
	} {
		id := d.TraceID()
		change(&id)
		_, ok := ParseDisplay(id)
		assert.False(t, ok, name)
	}
}

// FuzzDisplay: whatever names a view does so in one way only, and its range is one.
func FuzzDisplay(f *testing.F) {
	d, _ := NewDisplay(0x20000000, ObjectID(hello), time.Unix(1772625600, 0), time.Unix(1772632800, 0))
	id := d.TraceID()
	f.Add(id[:], int64(0), int64(1))
	f.Fuzz(func(t *testing.T, text []byte, start, end int64) {
		var id pcommon.TraceID
		copy(id[:], text)
		if d, ok := ParseDisplay(id); ok {
			require.Equal(t, id, d.TraceID())
			require.True(t, d.End().After(d.Start()))
			again, clipped := NewDisplay(d.Mode, d.Object, d.Start(), d.End())
			require.False(t, clipped)
			require.Equal(t, d, again)
		}
		d, _ := NewDisplay(uint32(start), ID(id[:7]), time.Unix(0, start), time.Unix(0, end))
		again, ok := ParseDisplay(d.TraceID())
		require.True(t, ok)
		require.Equal(t, d, again)
	})
}
