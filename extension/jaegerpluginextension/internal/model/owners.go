// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"cmp"
	"slices"
	"time"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// telling is what one span tells of the owners of a life.
type telling struct {
	at     time.Time
	owners string
	span   *objectSpan // nil if the span is an entry
}

// findOwners decides for each life which object it belongs to: what was told last counts, and where nothing was told,
// the parent of the object's span.
func (g *Graph) findOwners() {
	parsed := map[string]identity.OwnerReference{}
	byName := g.byName()
	for _, o := range g.objects {
		for _, life := range o.Lives {
			owner := g.ownerOf(life, parsed, byName)
			if owner.IsZero() || owner.ID == o.ID {
				continue
			}
			life.Owner = owner
			if above, ok := g.objects[owner.ID]; ok {
				life.OwnerLife = above.ownerLife(owner.UID, life)
			}
		}
	}
}

// ownerLife is the life with that UID; if nobody told, the one that was when the other began.
func (o *Object) ownerLife(uid string, of *Life) *Life { return o.lifeAt(uid, of.began) }

func (g *Graph) ownerOf(life *Life, parsed map[string]identity.OwnerReference, byName map[ownerName]*Object) Ref {
	var best telling
	var parent *objectSpan
	for _, s := range life.Object.spans {
		if s.resource.UID != life.UID && s.resource.UID != "" {
			continue
		}
		if above, ok := g.spans[spanKey{s.key.trace, s.parent}]; ok && !s.parent.IsEmpty() {
			parent = above // of the newest window
		}
		if t := (telling{s.seen, s.owners, s}); s.owners != "" && (best.owners == "" || !t.at.Before(best.at)) {
			best = t
		}
	}
	for _, e := range life.Entries {
		if at := e.Start.AsTime(); e.owners != "" && !e.Failed() && !e.Is(attr.AuditDryRun) && (best.owners == "" || !at.Before(best.at)) {
			best = telling{at, e.owners, nil}
		}
	}
	ref, known := parseOwner(best.owners, parsed)
	switch {
	case known && ref.Kind == "":
		return Ref{} // told to have none
	case known:
		return g.resolve(life.Object, ref, best.span, byName)
	case parent != nil:
		return refTo(parent.resource.id, parent.resource.Resource)
	}
	return Ref{}
}

// parseOwner returns the reference that the object is placed by, as k8slink chooses it: the controller, else the only one.
// It reports false if the text is no list of owners.
func parseOwner(text string, parsed map[string]identity.OwnerReference) (ref identity.OwnerReference, ok bool) {
	if text == "" {
		return ref, false
	}
	if ref, ok = parsed[text]; ok {
		return ref, true
	}
	all, err := identity.ParseOwners(text)
	if err != nil {
		return ref, false
	}
	all = slices.DeleteFunc(all, func(r identity.OwnerReference) bool { return r.Kind == "" || r.Name == "" })
	if i := slices.IndexFunc(all, func(r identity.OwnerReference) bool { return r.Controller }); i >= 0 {
		ref = all[i]
	} else if len(all) == 1 {
		ref = all[0]
	}
	parsed[text] = ref
	return ref, true
}

// ownerName is how an owner reference names an object.
type ownerName struct{ cluster, group, kind, namespace, name string }

// byName indexes the objects whose type is not built in, because an owner reference does not say the resource.
func (g *Graph) byName() map[ownerName]*Object {
	index := map[ownerName]*Object{}
	for _, o := range g.objects {
		if _, ok := kinds.ByKind(o.Group, o.Kind); ok || o.Kind == "" {
			continue
		}
		name := ownerName{o.Cluster, o.Group, o.Kind, o.Namespace, o.Name}
		if other, ok := index[name]; !ok || slices.Compare(o.ID[:], other.ID[:]) < 0 {
			index[name] = o
		}
	}
	return index
}

// resolve finds out which object an owner reference means. k8slink may have known the type better, so the parent that it
// gave the span counts if it has the right name.
func (g *Graph) resolve(of *Object, ref identity.OwnerReference, told *objectSpan, byName map[ownerName]*Object) Ref {
	group, _ := identity.GroupVersion(ref.APIVersion)
	if told != nil && !told.parent.IsEmpty() {
		if above, ok := g.spans[spanKey{told.key.trace, told.parent}]; ok &&
			above.resource.Name == ref.Name && above.resource.Group == group && above.resource.Kind == ref.Kind {
			found := refTo(above.resource.id, above.resource.Resource)
			found.UID = cmp.Or(ref.UID, found.UID)
			return found
		}
	}
	for _, namespace := range [...]string{of.Namespace, ""} {
		if o, ok := byName[ownerName{of.Cluster, group, ref.Kind, namespace, ref.Name}]; ok {
			found := o.Ref
			found.UID = ref.UID
			return found
		}
	}
	key := identity.Object{Cluster: of.Cluster, Group: group, Resource: kinds.GuessResource(ref.Kind), Namespace: of.Namespace, Name: ref.Name}
	if t, ok := kinds.ByKind(group, ref.Kind); ok {
		key.Resource = t.Resource
		if !t.Namespaced {
			key.Namespace = ""
		}
	}
	return refTo(identity.ObjectID(key), objectspan.Resource{Object: key, Kind: ref.Kind, APIVersion: ref.APIVersion, UID: ref.UID})
}

// cutCycles takes its owner from one life of each circle of owners, so that going up always ends.
func (g *Graph) cutCycles() {
	done := map[*Life]int{} // by which walk a life was seen first
	walk := 0
	for _, o := range g.Objects() {
		for _, life := range o.Lives {
			walk++
			for at := life; at != nil; at = at.OwnerLife {
				if by, ok := done[at]; ok {
					if by == walk {
						at.Object.warn("its owners are owned by itself: one of them is left out")
						at.Owner, at.OwnerLife = Ref{}, nil
					}
					break
				}
				done[at] = walk
			}
		}
	}
}

// listOwned makes the way down from the way up.
func (g *Graph) listOwned() {
	for _, o := range g.objects {
		for _, life := range o.Lives {
			if life.OwnerLife != nil {
				life.OwnerLife.Owned = append(life.OwnerLife.Owned, life)
			}
		}
	}
	for _, o := range g.objects {
		for _, life := range o.Lives {
			slices.SortFunc(life.Owned, compareLives)
		}
	}
}
