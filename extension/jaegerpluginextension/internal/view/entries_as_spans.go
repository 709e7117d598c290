// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

// entriesAsSpans gives each item a span of its own below the object's.
func (t *tree) entriesAsSpans() {
	t.each(func(n *node) {
		if len(n.items) == 0 {
			return
		}
		entries := make([]*node, 0, len(n.items)+len(n.children))
		var others []*item
		for _, it := range n.items {
			if isForeign(it) {
				others = append(others, it)
				continue
			}
			entries = append(entries, &node{object: it.on.object, kind: entryNode, name: it.title(), entry: it, start: it.Start, end: it.end})
		}
		n.items = others
		n.children = append(entries, n.children...)
	})
}
