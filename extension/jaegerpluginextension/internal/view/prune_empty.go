// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"slices"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
)

// pruneEmpty drops objects to which nothing happened in the time range and below which nothing is shown. What was asked
// for is never dropped, unless another life of it is shown.
func (t *tree) pruneEmpty() {
	full := map[*node]bool{}
	all := t.fromBelow()
	for _, n := range all {
		full[n] = len(n.items) > 0 || slices.ContainsFunc(n.children, func(child *node) bool { return full[child] })
	}
	if !slices.ContainsFunc(t.focus.Lives, func(life *model.Life) bool { return full[t.shown[life]] }) {
		for n := t.shown[t.focus.Lives[len(t.focus.Lives)-1]]; n != nil; n = parentOf(all, n) {
			full[n] = true
		}
	}
	isEmpty := func(n *node) bool { return !full[n] }
	for _, n := range all {
		n.children = slices.DeleteFunc(n.children, isEmpty)
	}
	t.tops = slices.DeleteFunc(t.tops, isEmpty)
}

func parentOf(all []*node, child *node) *node {
	for _, n := range all {
		if slices.Contains(n.children, child) {
			return n
		}
	}
	return nil
}
