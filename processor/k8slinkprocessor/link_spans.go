// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"hash/maphash"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
)

// target describes the object that a link leads to.
func (e *engine) target(t *links.Target) objectspan.Resource {
	r := objectspan.Resource{Object: t.Object, Kind: t.Kind, APIVersion: t.APIVersion, UID: t.UID}
	if r.Object.Resource == "" {
		resource, clusterScoped := e.knowledge.Types().Resource(t.Cluster, t.Group, t.Kind)
		r.Object.Resource = resource
		if clusterScoped {
			r.Namespace = ""
		}
	} else if r.Kind == "" {
		if known, ok := kinds.ByResource(r.Group, r.Object.Resource); ok {
			r.Kind = known.Kind
		}
	}
	return r
}

// linkSpans are the two spans of a link in a window: one on the object that names the other, one on the other.
type linkSpans struct {
	link     *links.Link
	from, to linkEnd
}

type linkEnd struct {
	node *hierarchy.Node
	at   *place
}

// connect makes the link spans of all objects due whose spans are in the batch, in the windows of those. Where that was done
// a short time ago, nothing is done again.
func (b *batch) connect() {
	var byID map[identity.ID]*hierarchy.Node
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		for j := begin; j < g.end && g.profile != nil && g.profile.linked(); j++ {
			m := &b.members[j]
			if m.kind != native && m.kind != foreign || m.place.connected || g.connected.holds(m.place.trace, m.span.StartTimestamp()) {
				continue
			}
			m.place.connected = true
			if byID == nil {
				byID = b.subjects()
			}
			b.connectAt(g, m.place, byID)
			b.connected = append(b.connected, connected{g.node.ID, g.profile, connection{m.place.trace, m.span.StartTimestamp()}})
		}
		begin = g.end
	}
	b.mentionRelated()
	b.engine.knowledge.Extend(b.forest)
	for i := range b.links {
		l := &b.links[i]
		l.to.at = b.placeOf(l.to.node, l.from.at.window)
		b.placing.plant(l.to.at)
	}
}

func (b *batch) connectAt(g *group, at *place, byID map[identity.ID]*hierarchy.Node) {
	g.profile.links(b.engine.maxLinks, func(l *links.Link) {
		r := b.engine.target(&l.Target)
		id := identity.ObjectID(r.Object)
		if id == g.node.ID {
			return
		}
		target, here := byID[id]
		if !here || r.UID != "" && r.UID != target.UID {
			target = b.forest.Mention(r)
		}
		b.links = append(b.links, linkSpans{l, linkEnd{g.node, at}, linkEnd{node: target}})
	})
}

// subjects indexes the objects of the batch for links that know no UID.
func (b *batch) subjects() map[identity.ID]*hierarchy.Node {
	byID := make(map[identity.ID]*hierarchy.Node, len(b.groups))
	for i := range b.groups {
		node := b.groups[i].node
		if other, ok := byID[node.ID]; !ok || node.UID > other.UID {
			byID[node.ID] = node
		}
	}
	return byID
}

// key identifies a pair of link spans and all that they tell.
func (e *engine) linkKey(l *linkSpans) sentKey {
	var h maphash.Hash
	h.SetSeed(e.sentLinks.seed)
	_, _ = h.Write(l.to.at.trace[:])
	_, _ = h.Write(l.to.at.parent[:])
	for _, text := range [...]string{l.link.Role, l.link.Class, l.link.Rule, l.link.UID} {
		_, _ = h.WriteString(text)
		_ = h.WriteByte(0)
	}
	return sentKey{l.from.at.parent, h.Sum64()}
}

// emitLinks adds the link spans that are due and were not sent before.
func (b *batch) emitLinks() {
	if len(b.links) == 0 {
		return
	}
	keys := make([]sentKey, len(b.links))
	for i := range b.links {
		keys[i] = b.engine.linkKey(&b.links[i])
	}
	for _, i := range b.engine.sentLinks.unsent(keys) {
		l := &b.links[i]
		b.writeLink(l, &l.from, &l.to, l.link.Role, attr.LinkForward)
		b.writeLink(l, &l.to, &l.from, links.Mirrored(l.link.Role), attr.LinkBackward)
		b.emittedLinks = append(b.emittedLinks, keys[i])
		b.stats.linkSpans += 2
	}
}

func (b *batch) writeLink(l *linkSpans, on, other *linkEnd, role, direction string) {
	span := b.engine.scopeIn(b.homeOf(on.node)).Spans().AppendEmpty()
	span.SetTraceID(on.at.trace)
	span.SetSpanID(identity.LinkSpanID(on.at.trace, on.node.ID, other.node.ID, role, l.link.Class))
	span.SetParentSpanID(on.at.parent)
	span.SetName(role)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetStartTimestamp(timestampOf(on.at.window))
	span.SetEndTimestamp(timestampOf(b.engine.window.End(on.at.window)))
	appendLink(span, other.at.trace, other.at.parent)

	attrs := span.Attributes()
	attrs.EnsureCapacity(13)
	attrs.PutStr(attr.SpanType, attr.SpanTypeLink)
	attrs.PutStr(attr.LinkRole, role)
	putUnlessEmpty(attrs, attr.LinkClass, l.link.Class)
	attrs.PutStr(attr.LinkRule, l.link.Rule)
	attrs.PutStr(attr.LinkDirection, direction)
	target := &other.node.Resource
	attrs.PutStr(attr.LinkTargetID, other.node.ID.String())
	attrs.PutStr(attr.LinkTargetCluster, target.Cluster)
	attrs.PutStr(attr.LinkTargetGroup, target.Group)
	attrs.PutStr(attr.LinkTargetResource, target.Object.Resource)
	putUnlessEmpty(attrs, attr.LinkTargetKind, target.Kind)
	putUnlessEmpty(attrs, attr.LinkTargetNamespace, target.Namespace)
	attrs.PutStr(attr.LinkTargetName, target.Name)
	putUnlessEmpty(attrs, attr.LinkTargetUID, target.UID)
}

func putUnlessEmpty(attrs pcommon.Map, key, value string) {
	if value != "" {
		attrs.PutStr(key, value)
	}
}
