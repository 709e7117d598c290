// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import "slices"

// lift puts what is below the objects of some resources, and below some classes of references, beside them: Pods beside
// their ReplicaSet. What is empty then is dropped, as a class always is. The root keeps what is below it.
func (t *tree) lift() {
	lifts := func(n *node) bool {
		if n.kind == virtualNode {
			return slices.Contains(t.mode.LiftFrom, n.name)
		}
		return slices.Contains(t.mode.LiftFrom, n.object.Object.Resource)
	}
	for _, n := range t.fromBelow() {
		if !slices.ContainsFunc(n.children, lifts) {
			continue
		}
		var lifted []*node
		for _, child := range n.children {
			if !lifts(child) {
				lifted = append(lifted, child)
				continue
			}
			below := child.children
			child.children = nil
			if len(child.items) > 0 || len(child.warnings) > 0 {
				lifted = append(lifted, child)
			}
			lifted = append(lifted, below...)
		}
		n.children = lifted
	}
}
