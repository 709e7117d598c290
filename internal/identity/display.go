// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity // import "github.com/kelemetry/kelemetry/internal/identity"

import (
	"encoding/binary"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	// DisplayUnit is what the time range of a display ID is counted in.
	DisplayUnit = 15 * time.Minute

	// MaxDisplayRange is the longest time range that a display ID can tell.
	MaxDisplayRange = maxUnits * DisplayUnit

	startBits = 20
	unitBits  = 12
	maxStart  = 1<<startBits - 1
	maxUnits  = 1<<unitBits - 1
)

var displayEpoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Display is a view of an object: everything that it takes to make it again. It is what a display ID stands for.
type Display struct {
	// Mode is the display mode.
	Mode uint32
	// Object is what is shown.
	Object ID

	start, units uint32
}

// NewDisplay names the view of an object over a time range, which is widened to whole units. Of a range that a display ID cannot
// tell, the end remains: clipped is true then.
func NewDisplay(mode uint32, object ID, start, end time.Time) (d Display, clipped bool) {
	first, last := unitsSince(start), unitsSince(end.Add(DisplayUnit-time.Nanosecond))
	asked := first
	first, last = min(max(first, 0), maxStart), min(max(last, 1), maxStart+maxUnits)
	first = max(first, last-maxUnits)
	return Display{Mode: mode, Object: object, start: uint32(first), units: uint32(max(last-first, 1))}, first > asked
}

// unitsSince rounds down.
func unitsSince(t time.Time) int64 {
	const unit = int64(DisplayUnit / time.Second)
	seconds := t.Unix() - displayEpoch.Unix()
	if seconds < 0 {
		seconds -= unit - 1
	}
	return seconds / unit
}

// Start is the beginning of the time range.
func (d Display) Start() time.Time { return displayEpoch.Add(time.Duration(d.start) * DisplayUnit) }

// End is the end of the time range, and after its start.
func (d Display) End() time.Time { return d.Start().Add(time.Duration(d.units) * DisplayUnit) }

// TraceID is the display ID.
func (d Display) TraceID() pcommon.TraceID {
	id := pcommon.TraceID{displayPrefix}
	binary.BigEndian.PutUint32(id[1:], d.Mode)
	binary.BigEndian.PutUint32(id[5:], d.start<<unitBits|d.units)
	copy(id[9:], d.Object[:])
	return id
}

// ParseDisplay reads a display ID. It reports false for an ID that none is; whether there is such a mode it does not know.
func ParseDisplay(id pcommon.TraceID) (d Display, ok bool) {
	d.Mode = binary.BigEndian.Uint32(id[1:])
	times := binary.BigEndian.Uint32(id[5:])
	d.start, d.units = times>>unitBits, times&maxUnits
	d.Object = ID(id[9:])
	return d, id[0] == displayPrefix && d.units > 0
}
