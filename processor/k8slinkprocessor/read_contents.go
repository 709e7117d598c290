// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
)

// readContents reads what spans show of the content of their objects, and derives links and tags from it.
func (b *batch) readContents() {
	if !b.engine.needsContents() {
		return
	}
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		for j := begin; j < g.end; j++ {
			if m := &b.members[j]; m.kind == native || m.kind == foreign {
				b.readContent(g, m.span)
			}
		}
		begin = g.end
	}
	b.engine.profiles.recallGroups(b.groups)
}

// needsContents is false when no rule looks at anything.
func (e *engine) needsContents() bool { return e.rules.Any() || len(e.linkers) > 0 }

// readContent learns from a span that shows content: as a snapshot, as a diff, or by being a Binding. What a dry run or a
// failed request shows never came about.
func (b *batch) readContent(g *group, span ptrace.Span) {
	if g.node.Name == "" {
		return
	}
	binding := g.object.Object.Resource == "pods" && text(span.Attributes(), attr.AuditSubresource) == "binding"
	if span.Events().Len() == 0 && !binding || span.Status().Code() == ptrace.StatusCodeError || isDryRun(span) {
		return
	}
	at := span.StartTimestamp()
	if binding {
		if node := text(span.Attributes(), attr.NodeName); node != "" {
			b.change(g, []links.Change{{At: at, Path: []string{"spec", "nodeName"}, Value: strconv.Quote(node)}})
		}
	}
	for _, event := range span.Events().All() {
		switch event.Name() {
		case attr.EventSnapshot:
			if object, ok := event.Attributes().Get(attr.SnapshotObject); ok && !isTrue(event.Attributes(), attr.SnapshotTruncated) {
				b.see(g, []byte(object.Str()), at, text(span.Attributes(), attr.ObjectResourceVersion))
			}
		case attr.EventDiff:
			b.change(g, readChanges(event.Attributes(), at))
		}
	}
}

func isTrue(attrs pcommon.Map, key string) bool {
	v, ok := attrs.Get(key)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}

func readChanges(attrs pcommon.Map, at pcommon.Timestamp) []links.Change {
	changes := make([]links.Change, 0, attrs.Len())
	for path, value := range attrs.All() {
		if strings.HasPrefix(path, "kelemetry.") {
			continue // about the diff itself
		}
		if c, ok := links.ReadChange(path, value.Str(), at); ok {
			changes = append(changes, c)
		}
	}
	return changes
}

// see takes in the whole content of an object.
func (b *batch) see(g *group, content []byte, at pcommon.Timestamp, version string) {
	e, object := b.engine, objectOf(&g.object)
	for {
		old := e.profiles.get(g.node.ID)
		made := &profile{}
		if old != nil {
			if old.state.Knows(object.UID, version) {
				return
			}
			*made = *old
		}
		if err := e.rules.Decode(&object, content); err != nil {
			b.stats.unreadable++
			return
		}
		state, newer := made.state.WithContent(&object, at, version)
		if !newer {
			return
		}
		made.state = state
		b.derive(&object, made)
		if len(e.linkers) > 0 {
			made.given = b.askLinkers(g, content)
		}
		if e.profiles.replace(g.node.ID, old, made) {
			return
		}
	}
}

// change takes in changes of an object.
func (b *batch) change(g *group, changes []links.Change) {
	e, object := b.engine, objectOf(&g.object)
	for {
		old := e.profiles.get(g.node.ID)
		made := &profile{}
		if old != nil {
			*made = *old
		}
		state, matters := made.state.WithChanges(e.rules, &object, changes)
		if !matters {
			return
		}
		made.state = state
		b.derive(&object, made)
		if e.profiles.replace(g.node.ID, old, made) {
			return
		}
	}
}

func (b *batch) derive(object *links.Object, p *profile) {
	p.facts = b.engine.rules.EvaluateState(object, &p.state, b.engine.report)
	p.digest = b.engine.profiles.digest(&p.facts)
}

func objectOf(r *objectspan.Resource) links.Object {
	return links.Object{Object: r.Object, UID: r.UID}
}
