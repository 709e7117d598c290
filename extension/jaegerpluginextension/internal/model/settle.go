// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// settle makes objects of spans. The order of the steps matters: each needs what the ones before made.
func (g *Graph) settle() {
	if g.settled {
		return
	}
	g.settled, g.homeless = true, 0
	g.objects = make(map[identity.ID]*Object)
	entries := g.sortedEntries()
	g.collect(entries)
	for _, o := range g.objects {
		o.describe()
		o.makeLives()
		o.enter()
		o.linkLives()
	}
	g.findOwners() // of a life, among the lives of all
	g.cutCycles()
	g.listOwned()
}

// collect gives each object what is about it.
func (g *Graph) collect(entries []*Entry) {
	for _, s := range g.spans {
		o := g.object(s.resource)
		o.spans = append(o.spans, s)
	}
	for _, l := range g.links {
		o := g.object(l.resource)
		o.links = append(o.links, l)
	}
	for _, e := range entries {
		e.parent, e.Children = nil, nil
		if e.Source != Foreign {
			o := g.object(e.resource)
			o.all = append(o.all, e)
		}
	}
	g.placeForeign(entries)
}

func (g *Graph) object(r *resource) *Object {
	o, ok := g.objects[r.id]
	if !ok {
		o = &Object{Ref: Ref{ID: r.id}}
		g.objects[r.id] = o
	}
	return o
}

// describe takes the object's description from its newest span.
func (o *Object) describe() {
	slices.SortFunc(o.spans, func(a, b *objectSpan) int {
		return cmp.Or(cmp.Compare(a.start, b.start), compareObjectSpans(a, b))
	})
	slices.SortFunc(o.links, func(a, b *linkSpan) int { return cmp.Or(cmp.Compare(a.start, b.start), compareLinks(&a.Link, &b.Link)) })
	for _, l := range o.links {
		o.first = l.resource
	}
	for _, s := range o.spans {
		o.first = s.resource
	}
	for _, e := range o.all {
		if e.Source != Foreign {
			o.first = e.resource
		}
	}
	if o.first == nil { // only spans of other sources
		o.first = o.all[len(o.all)-1].resource
	}
	o.Ref = refTo(o.ID, o.first.Resource)
	o.UID = ""
}

// makeLives finds the UIDs that the object had, in order of time.
func (o *Object) makeLives() {
	byUID := map[string]*Life{}
	life := func(r *resource, start, end pcommon.Timestamp) *Life {
		l, ok := byUID[r.UID]
		if !ok {
			l = &Life{Object: o, UID: r.UID, Start: start, End: end, began: start}
			byUID[r.UID] = l
		}
		l.Start, l.End = min(l.Start, start), max(l.End, end)
		return l
	}
	for _, s := range o.spans {
		life(s.resource, s.start, s.end).resource = s.resource
	}
	for _, e := range o.all { // in order of time
		if e.Source == Foreign && e.resource.id != o.ID {
			continue
		}
		l := life(e.resource, e.Start, e.End)
		l.resource = e.resource
		if !l.entered {
			l.entered, l.began = true, e.Start
		}
	}
	if len(byUID) > 1 {
		delete(byUID, "") // they are of one of the others
	}
	if len(byUID) == 0 {
		byUID[""] = &Life{Object: o, resource: o.first}
		for i, l := range o.links {
			if i == 0 {
				byUID[""].Start = l.start
			}
			byUID[""].End = l.start
		}
	}
	for _, l := range byUID {
		l.Attributes = l.resource.attrs
		o.Lives = append(o.Lives, l)
	}
	slices.SortFunc(o.Lives, func(a, b *Life) int { return cmp.Or(cmp.Compare(a.began, b.began), cmp.Compare(a.UID, b.UID)) })
	for i, l := range o.Lives {
		l.Number = i + 1
	}
}

// enter gives each entry, and each span of the object, to the life that it is of.
func (o *Object) enter() {
	for _, s := range o.spans {
		life := o.lifeAt(s.resource.UID, s.start)
		life.Spans = append(life.Spans, s.span)
	}
	for _, e := range o.all {
		life := o.lifeAt(e.UID, e.Start)
		if e.UID == "" && creates(e) {
			life = o.lifeAfter(e.Start)
		}
		life.Entries = append(life.Entries, e)
		life.Start, life.End = min(life.Start, e.Start), max(life.End, e.End)
	}
}

// creates is true of the request that begins a life. That it has no UID is usual.
func creates(e *Entry) bool {
	return e.Source == Audit && !e.Failed() && e.Text(attr.AuditVerb) == "create" && e.Text(attr.AuditSubresource) == ""
}

// lifeAt is the life with that UID, else the one that was at that time.
func (o *Object) lifeAt(uid string, at pcommon.Timestamp) *Life {
	found := o.Lives[0]
	for _, life := range o.Lives {
		if uid != "" && life.UID == uid {
			return life
		}
		if life.began <= at {
			found = life
		}
	}
	return found
}

// lifeAfter is the first life that began at that time or later, else the last.
func (o *Object) lifeAfter(at pcommon.Timestamp) *Life {
	for _, life := range o.Lives {
		if life.began >= at {
			return life
		}
	}
	return o.Lives[len(o.Lives)-1]
}
