// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"fmt"
	"slices"
)

// limitEntries leaves out the oldest items of the objects that have most of them, until there are not too many.
func (t *tree) limitEntries() {
	limit := t.options.Limits.MaxEntries
	var sizes []int
	total := 0
	t.each(func(n *node) {
		sizes = append(sizes, len(n.items))
		total += len(n.items)
	})
	if limit <= 0 || total <= limit {
		return
	}
	quota := fairShare(sizes, limit)
	t.each(func(n *node) {
		if cut := len(n.items) - quota; cut > 0 {
			n.items = n.items[cut:]
			n.warnings = append(n.warnings, fmt.Sprintf("the first %d of %d entries are not shown: ask for a shorter time range", cut, cut+quota))
		}
	})
}

// fairShare is the largest size to which all can be cut so that together they are not above the limit.
func fairShare(sizes []int, limit int) int {
	slices.Sort(sizes)
	for i, size := range sizes {
		if share := limit / (len(sizes) - i); size > share {
			return share
		}
		limit -= size
	}
	return limit
}
