// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// related is an Event's second object. The receiver has linked to the trace that it has as its own root.
type related struct {
	member int
	node   *hierarchy.Node
}

// mentionRelated plants the second objects of Events.
func (b *batch) mentionRelated() {
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		for j := begin; j < g.end; j++ {
			m := &b.members[j]
			if m.kind != native || m.span.Links().Len() == 0 {
				continue
			}
			if r, ok := relatedOf(m.span, g.node.Cluster); ok {
				b.related = append(b.related, related{j, b.forest.Mention(r)})
			}
		}
		begin = g.end
	}
}

func relatedOf(span ptrace.Span, cluster string) (objectspan.Resource, bool) {
	attrs := span.Attributes()
	if _, ok := attrs.Get(attr.RelatedID); !ok {
		return objectspan.Resource{}, false
	}
	r := objectspan.Resource{
		Object: identity.Object{
			Cluster: cluster, Group: text(attrs, attr.RelatedGroup), Resource: text(attrs, attr.RelatedResource),
			Namespace: text(attrs, attr.RelatedNamespace), Name: text(attrs, attr.RelatedName),
		},
		Kind: text(attrs, attr.RelatedKind), APIVersion: text(attrs, attr.RelatedAPIVersion), UID: text(attrs, attr.RelatedUID),
	}
	return r, r.Object.Resource != "" && r.Name != ""
}

// relink has the links of Events to their second objects lead to where those are.
func (b *batch) relink() {
	for _, r := range b.related {
		m := &b.members[r.member]
		if m.kind == settled {
			continue
		}
		there := b.placeOf(r.node, m.place.window)
		for _, link := range m.span.Links().All() {
			if link.SpanID() == identity.ObjectSpanID(link.TraceID(), r.node.ID) && b.knowsBetter(r.node, there, link.TraceID()) {
				link.SetTraceID(there.trace)
				link.SetSpanID(there.parent)
			}
		}
	}
}

// knowsBetter is false of a link that another k8slink has led elsewhere, when this one does not know the end of the chain.
func (b *batch) knowsBetter(node *hierarchy.Node, at *place, trace pcommon.TraceID) bool {
	return at.chain[len(at.chain)-1].Rooted() || b.placing.traceOf(node, at.window) == trace
}
