// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import "time"

// timesInName appends to the root's name from when to when it tells, in UTC.
func (t *tree) timesInName() {
	root := t.root()
	start, end := root.start.AsTime(), root.end.AsTime()
	layout := time.TimeOnly
	if start.Truncate(24*time.Hour) != end.Truncate(24*time.Hour) {
		layout = time.DateTime
	}
	root.name += " " + start.Format(layout) + ".." + end.Format(layout)
}
