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
	keep := t.focusToKeep()
	isEmpty := func(n *node) bool { return len(n.items) == 0 && len(n.children) == 0 && !keep[n.life] }
	for _, n := range t.fromBelow() {
		n.children = slices.DeleteFunc(n.children, isEmpty)
	}
	t.tops = slices.DeleteFunc(t.tops, isEmpty)
}

func (t *tree) focusToKeep() map[*model.Life]bool {
	keep := map[*model.Life]bool{}
	for _, life := range t.focus.Lives {
		if n := t.shown[life]; n != nil && (len(n.items) > 0 || len(n.children) > 0) {
			keep[life] = true
		}
	}
	if len(keep) == 0 {
		keep[t.focus.Lives[len(t.focus.Lives)-1]] = true
	}
	return keep
}
