// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
)

func isForeign(it *item) bool { return it.Source == model.Foreign }

// foreignAsSpans shows spans of other sources as what they are, with what is below them: in every mode, because they tell by
// their length. They are below the entry's span if it has one, and else below the object's.
func (t *tree) foreignAsSpans() {
	t.each(func(n *node) {
		if n.kind == foreignNode {
			return
		}
		if n.entry != nil {
			n.addForeign(n.entry.Children)
			if n.entry.observed != nil {
				n.addForeign(n.entry.observed.Children)
			}
		}
		left := n.items[:0]
		for _, it := range n.items {
			if isForeign(it) {
				n.addForeign([]*model.Entry{it.Entry})
				continue
			}
			n.addForeign(it.Children)
			if it.observed != nil {
				n.addForeign(it.observed.Children)
			}
			left = append(left, it)
		}
		n.items = left
	})
}

func (n *node) addForeign(entries []*model.Entry) {
	for _, e := range entries {
		child := &node{object: n.object, kind: foreignNode, name: e.Span.Name(), foreign: e, start: e.Start, end: e.End}
		child.addForeign(e.Children) // their depth is bounded by the graph
		n.children = append(n.children, child)
	}
}
