// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import "go.opentelemetry.io/collector/pdata/pcommon"

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

func (n *node) content() (start, end pcommon.Timestamp) {
	start = latest
	for _, it := range n.items {
		start, end = min(start, it.Start), max(end, it.end)
	}
	for _, child := range n.children {
		start, end = min(start, child.start), max(end, child.end)
	}
	return start, max(start, end)
}
