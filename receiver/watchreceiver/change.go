// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"time"

	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
)

// changeType is the name of a span.
type changeType string

const (
	created changeType = "created"
	updated changeType = "updated"
	deleted changeType = "deleted"
)

// change is what was observed of an object.
type change struct {
	changeType
	target target
	// header is of the object as it is now, or as it was last.
	header object.Header
	// text is that object.
	text     []byte
	observed time.Time
	// inferred is that it was not observed as an event, but found in a list, or missed there.
	inferred bool
	// by is when an object was gone at the latest of which the end was not observed; zero if that is not known.
	by time.Time

	// before is of the state before an update, beforeText that state. Both are empty if there is none.
	before     object.Header
	beforeText []byte
	diff       diff.Result
	// degraded is why there is no diff, or not of everything; empty if there is.
	degraded string
}

// size is about what the change takes in memory.
func (c *change) size() int64 {
	return int64(len(c.text)+len(c.beforeText)+len(c.header.ManagedFields)) + 1<<10
}
