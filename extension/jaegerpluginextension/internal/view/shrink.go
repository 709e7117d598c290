// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// shrink makes the spans of objects and of groups as long as what is in them. Stored, they are as long as the window.
func (t *tree) shrink() {
	for _, n := range t.fromBelow() {
		if n.kind != objectNode && n.kind != virtualNode || len(n.items) == 0 && len(n.children) == 0 {
			continue
		}
		n.start, n.end = n.content()
	}
}

// coverChildren makes no span shorter than what is in it, but for what runs on: a request may cause something that outlasts it.
func (t *tree) coverChildren() {
	for _, n := range t.fromBelow() {
		if (n.kind == objectNode || n.kind == virtualNode) && len(n.items)+len(n.children) > 0 {
			start, end := n.content()
			if n.kind == virtualNode && n.end == 0 {
				n.start, n.end = start, end
			}
			n.start, n.end = min(n.start, start), max(n.end, end)
		}
		n.end = max(n.start, n.end)
	}
}

// content is from when to when something happened to the object of the node, or to what it owns. What it only refers to has a time
// of its own: a Pod is not as old as its Node. That counts only if there is nothing else.
func (n *node) content() (start, end pcommon.Timestamp) {
	start = latest
	cover := func(from, to pcommon.Timestamp) { start, end = min(start, from), max(end, to) }
	for _, it := range n.items {
		cover(it.Start, it.end)
	}
	for _, child := range n.children {
		if !child.isReferredTo() {
			cover(child.start, child.end)
		}
	}
	if start == latest {
		for _, child := range n.children {
			cover(child.start, child.end)
		}
	}
	return start, max(start, end)
}

// isReferredTo is true of what is shown because of a reference, and of a group of that.
func (n *node) isReferredTo() bool {
	if n.kind == virtualNode && len(n.children) > 0 {
		return !slices.ContainsFunc(n.children, func(child *node) bool { return !child.isReferredTo() })
	}
	return n.linked
}
