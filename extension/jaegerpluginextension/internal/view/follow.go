// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"fmt"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// follow shows what the objects refer to, so many references in a row as the scope has. An object that is shown already is
// not shown again: noteReferences tells of it.
func (t *tree) follow() {
	if t.mode.Scope.Links == 0 {
		return
	}
	var round []*node
	t.each(func(n *node) {
		if n.life != nil {
			round = append(round, n)
		}
	})
	for range t.mode.Scope.Links {
		var next []*node
		for _, n := range round {
			next = append(next, t.followFrom(n)...)
		}
		round = next
	}
}

func (t *tree) followFrom(n *node) (found []*node) {
	left := 0
	for _, l := range n.life.Links {
		if !t.mode.Scope.Follows(l.Class) {
			continue
		}
		o, ok := t.graph.Object(l.Target.ID)
		if !ok {
			t.miss(l.Target, Linked)
			continue
		}
		life := o.LifeOf(l.Target.UID)
		if _, shown := t.shown[life]; shown {
			continue
		}
		if t.isFull() || t.options.Limits.MaxLinked > 0 && t.linked >= t.options.Limits.MaxLinked {
			left++
			continue
		}
		t.linked++
		target := t.add(life)
		target.linked = true
		target.put(fieldLink, relation(l))
		n.adopt(target, l.Class)
		found = append(found, target)
	}
	if left > 0 {
		n.warnings = append(n.warnings, fmt.Sprintf("%s not shown, because a view has at most %d of them", referred(left), t.options.Limits.MaxLinked))
	}
	return found
}

func referred(n int) string {
	if n == 1 {
		return "1 object that is referred to is"
	}
	return fmt.Sprintf("%d objects that are referred to are", n)
}

// relation says how an object is referred to, seen from the one that has the link.
func relation(l *model.Link) string {
	if l.Direction == attr.LinkBackward {
		return l.Role + " ←"
	}
	return l.Role + " →"
}
