// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// listEntries gives each object's node what happened to it in the time range, in order of time. What began before or ended
// after it counts if part of it lies within.
func (t *tree) listEntries() {
	from, to := t.from(), t.to()
	t.each(func(n *node) {
		if n.life == nil {
			return
		}
		items := make([]item, 0, len(n.life.Entries))
		for _, e := range n.life.Entries {
			if e.Start < to && e.End >= from {
				items = append(items, item{Entry: e, on: n, end: e.End})
			}
		}
		n.items = make([]*item, len(items))
		for i := range items {
			n.items[i] = &items[i]
		}
		n.start, n.end = clip(n.start, from, to), clip(n.end, from, to)
	})
}

func clip(at, from, to pcommon.Timestamp) pcommon.Timestamp { return max(from, min(at, to)) }
