// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity // import "github.com/kelemetry/kelemetry/internal/identity"

import (
	"fmt"
	"time"
)

// Window is the length of the slices of wall-clock time that bound a trace. It is a positive number of whole seconds.
// A span belongs to the window that its start time falls into.
type Window time.Duration

// DefaultWindow is 30 minutes.
const DefaultWindow = Window(30 * time.Minute)

// Start returns the beginning of the window that contains t: the largest multiple of the window's length,
// counted from the Unix epoch, that is not after t.
func (w Window) Start(t time.Time) time.Time {
	length := int64(time.Duration(w) / time.Second)
	seconds := t.Unix()
	remainder := seconds % length
	if remainder < 0 {
		remainder += length
	}
	return time.Unix(seconds-remainder, 0).UTC()
}

// End returns the end of the window that contains t, which is the start of the next one.
func (w Window) End(t time.Time) time.Time {
	return w.Start(t).Add(time.Duration(w))
}

// Validate reports a window that cannot be used.
func (w Window) Validate() error {
	if d := time.Duration(w); d < time.Minute || d%time.Second != 0 {
		return fmt.Errorf("must be whole seconds and at least 1m, got %s", d)
	}
	return nil
}
