// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import "slices"

// trail is where the walk is in the trees of paths: at the nodes walker.trails[lo:hi]. Those of deeper values lie behind
// them and are given up on the way back. Where no path can apply a trail is empty and costs nothing.
type trail struct{ lo, hi int }

func (t trail) isEmpty() bool { return t.lo == t.hi }

// followMember leads to a member and reports whether a path ends there.
func (w *walker) followMember(t trail, key []byte) (next trail, end bool) {
	next = trail{len(w.trails), len(w.trails)}
	for i := t.lo; i < t.hi; i++ {
		node := w.trails[i]
		end = w.extend(&next, node.keys[string(key)]) || end
		end = w.extend(&next, node.any) || end
	}
	return next, end
}

// followItem leads to an item of a list. A path goes through lists as if they were not there, so that one that was written
// without [*] does not miss.
func (w *walker) followItem(t trail) (next trail, end bool) {
	next = trail{len(w.trails), len(w.trails)}
	for i := t.lo; i < t.hi; i++ {
		node := w.trails[i]
		w.extend(&next, node)
		end = w.extend(&next, node.any) || end
	}
	return next, end
}

func (w *walker) extend(t *trail, node *pathNode) (end bool) {
	if node == nil || slices.Contains(w.trails[t.lo:], node) {
		return false
	}
	w.trails = append(w.trails, node)
	t.hi = len(w.trails)
	return node.end
}

// giveUp forgets a trail and those behind it.
func (w *walker) giveUp(t trail) { w.trails = w.trails[:t.lo] }
