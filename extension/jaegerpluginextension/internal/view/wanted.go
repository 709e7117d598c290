// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// Relation is why an object is part of a view.
type Relation string

// The relations.
const (
	Self   Relation = "self"   // it was asked for
	Owner  Relation = "owner"  // it is up from there
	Owned  Relation = "owned"  // it is down from there or from an owner
	Linked Relation = "linked" // something in the view refers to it
)

// Want is an object that is part of a view.
type Want struct {
	Ref      model.Ref
	Relation Relation
	// Have is true if the graph has something of the object. There may be more of it in other traces.
	Have bool
}

// Wanted returns the objects that a view of an object consists of as far as the graph can tell, nearest first, each once.
// A collector reads what the graph does not have, adds it and asks again, until nothing new comes.
func Wanted(g *model.Graph, object identity.ID, m mode.Mode, limits Limits) []Want {
	focus, ok := g.Object(object)
	if !ok {
		return []Want{{Ref: model.Ref{ID: object}, Relation: Self}}
	}
	t := &tree{graph: g, mode: m, focus: focus, options: Options{Limits: limits}}
	t.selectObjects()

	wants := []Want{{Ref: focus.Ref, Relation: Self, Have: true}}
	seen := map[identity.ID]bool{object: true}
	add := func(w Want) {
		if !seen[w.Ref.ID] {
			seen[w.Ref.ID] = true
			wants = append(wants, w)
		}
	}
	above := map[identity.ID]bool{}
	for _, life := range focus.Lives {
		at := life
		for range m.Scope.Owners {
			if at, _ = t.above(at); at == nil {
				break
			}
			above[at.Object.ID] = true
			add(Want{at.Object.Ref, Owner, true})
		}
	}
	for _, w := range t.missing {
		if w.Relation == Owner && m.Scope.Owners > 0 {
			add(w)
		}
	}
	t.each(func(n *node) {
		switch {
		case n.life == nil:
		case n.linked:
			add(Want{n.object.Ref, Linked, true})
		default:
			add(Want{n.object.Ref, Owned, true})
		}
	})
	for _, w := range t.missing {
		if w.Relation != Owner {
			add(w)
		}
	}
	return wants
}

func (t *tree) miss(ref model.Ref, relation Relation) {
	for _, w := range t.missing {
		if w.Ref.ID == ref.ID {
			return
		}
	}
	t.missing = append(t.missing, Want{Ref: ref, Relation: relation})
}
