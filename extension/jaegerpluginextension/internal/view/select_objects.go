// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"fmt"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
)

// Roles of references that say what ownership says, for what Kubernetes cannot say so, such as an owner in another cluster.
const (
	roleParent = "parent"
	roleChild  = "child"
)

// selectObjects finds the objects that the mode's scope has: up from the one that was asked for, then down, then along
// references. Each life of an object is shown once.
func (t *tree) selectObjects() {
	t.shown = make(map[*model.Life]*node)
	scope := t.mode.Scope
	var queue []descent
	for _, life := range t.focus.Lives {
		from := life
		if top := t.climb(life, scope.Owners); scope.FromTop {
			from = top
		}
		queue = append(queue, descent{t.shown[from], scope.Owned})
	}
	t.descend(queue)
	t.follow()
}

// climb shows a life and its owners, and returns the topmost. It ends where it meets what is shown already.
func (t *tree) climb(life *model.Life, steps int) *model.Life {
	if _, ok := t.shown[life]; ok {
		return t.topOf(life)
	}
	below, at := t.add(life), life
	way := map[*model.Life]bool{life: true}
	for range steps {
		above, between := t.above(at)
		if above == nil || way[above] { // references can lead in a circle, owners cannot
			break
		}
		if known, ok := t.shown[above]; ok {
			known.adopt(below, between)
			return t.topOf(above)
		}
		way[above] = true
		n := t.add(above)
		n.adopt(below, between)
		below, at = n, above
	}
	t.tops = append(t.tops, below)
	return at
}

// topOf goes up the shown parents of a life.
func (t *tree) topOf(life *model.Life) *model.Life {
	for range maxClimb {
		above, _ := t.above(life)
		if above == nil || t.shown[above] == nil {
			break
		}
		life = above
	}
	return life
}

// maxClimb is more than any scope has.
const maxClimb = 64

// above is the owner of a life; without one, what it refers to as its parent, and then the class of that reference.
func (t *tree) above(life *model.Life) (above *model.Life, class string) {
	if life.OwnerLife != nil {
		return life.OwnerLife, ""
	}
	if !life.Owner.IsZero() {
		t.miss(life.Owner, Owner)
		return nil, ""
	}
	for _, l := range life.Links {
		if l.Role != roleParent || l.Target.ID == life.Object.ID {
			continue
		}
		o, ok := t.graph.Object(l.Target.ID)
		if !ok {
			t.miss(l.Target, Owner)
			continue
		}
		return o.LifeOf(l.Target.UID), l.Class
	}
	return nil, ""
}

// descent is a node below which so many more levels are shown.
type descent struct {
	n      *node
	levels int
}

// descend shows what is owned, level by level, so that a limit cuts what is farthest.
func (t *tree) descend(queue []descent) {
	done := map[*node]int{} // how many levels below it are shown
	for len(queue) > 0 {
		d := queue[0]
		queue = queue[1:]
		if d.levels <= done[d.n] {
			continue
		}
		done[d.n] = d.levels
		left := 0
		visit := func(life *model.Life, class string) {
			if known, ok := t.shown[life]; ok {
				queue = append(queue, descent{known, d.levels - 1})
				return
			}
			if t.willBePruned(life) {
				return
			}
			if t.isFull() {
				left++
				return
			}
			n := t.add(life)
			d.n.adopt(n, class)
			queue = append(queue, descent{n, d.levels - 1})
		}
		for _, owned := range d.n.life.Owned {
			visit(owned, "")
		}
		for _, l := range d.n.life.Links {
			if l.Role == roleChild && l.Target.ID != d.n.object.ID {
				if o, ok := t.graph.Object(l.Target.ID); ok {
					visit(o.LifeOf(l.Target.UID), l.Class)
				} else {
					t.miss(l.Target, Owned)
				}
			}
		}
		if left > 0 {
			d.n.warnings = append(d.n.warnings, fmt.Sprintf("%s not shown, because a view has at most %d objects", owned(left), t.options.Limits.MaxObjects))
		}
	}
}

// willBePruned is true of what pruneEmpty would drop for certain, so that it takes nobody's place: nothing is stored of it in the
// time range, and nothing is below it.
func (t *tree) willBePruned(life *model.Life) bool {
	return t.mode.Has(mode.PruneEmpty) && len(life.Owned)+len(life.Links) == 0 && (life.End < t.from() || life.Start >= t.to())
}

func owned(n int) string {
	if n == 1 {
		return "1 owned object is"
	}
	return fmt.Sprintf("%d owned objects are", n)
}

func (t *tree) isFull() bool {
	return t.options.Limits.MaxObjects > 0 && len(t.shown) >= t.options.Limits.MaxObjects
}

func (t *tree) add(life *model.Life) *node {
	n := &node{object: life.Object, life: life, name: nameOf(life), start: life.Start, end: life.End}
	n.warnings = append(n.warnings, life.Object.Warnings...)
	if count := len(life.Object.Lives); count > 1 {
		n.put(fieldLife, fmt.Sprintf("%d of %d", life.Number, count))
	}
	t.shown[life] = n
	return n
}

// adopt puts a node below another, with a span for the class of a reference between the two.
func (n *node) adopt(child *node, class string) {
	if class == "" {
		n.children = append(n.children, child)
		return
	}
	for _, between := range n.children {
		if between.kind == virtualNode && between.name == class {
			between.children = append(between.children, child)
			return
		}
	}
	n.children = append(n.children, newGroup(n.object, "references", class, child))
}
