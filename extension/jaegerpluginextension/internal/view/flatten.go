// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"cmp"
	"slices"
)

// flatten puts what happened to all objects below the root, in order of time. Of other objects than the root's the name goes
// with it.
func (t *tree) flatten() {
	root := t.root()
	var all []*item
	t.each(func(n *node) {
		for _, it := range n.items {
			if it.on.object != root.object {
				it.prefix = it.on.object.SpanName()
			}
		}
		all = append(all, n.items...)
		if n != root {
			root.warnings = append(root.warnings, n.warnings...)
		}
	})
	slices.SortStableFunc(all, func(a, b *item) int { return cmp.Compare(a.Start, b.Start) })
	root.items, root.children = all, nil
}
