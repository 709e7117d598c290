// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

// plantRoot sees to it that there is one root: where lives of the object have nothing above them in common, they are put below
// a span for all of them.
func (t *tree) plantRoot() {
	if len(t.tops) == 1 {
		return
	}
	t.tops = []*node{newGroup(t.focus, "lives", nameOf(t.focus.Lives[0]), t.tops...)}
}

func (t *tree) root() *node { return t.tops[0] }
