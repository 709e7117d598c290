// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
)

// batch is one ptrace.Traces on its way through the engine.
type batch struct {
	engine  *engine
	traces  ptrace.Traces
	forest  *hierarchy.Forest
	finder  *lookup.Batch // nil without look-ups
	groups  []group
	members []member
	placing placing
	emitted []sentKey
	// links are the link spans that are due.
	links        []linkSpans
	connected    []connected
	emittedLinks []sentKey
	related      []related
	homes        map[*hierarchy.Node]ptrace.ResourceSpans
	// orphaned are the objects that this batch shows as roots for want of knowledge.
	orphaned []orphan
	// consumed counts the members of that kind.
	consumed int
	joining  joining
	folded   folded
	// settles is set if the batch is of folded spans that this k8slink tells again.
	settles bool
	stats   stats
}

// group is consecutive members on one object: the spans of a resource, or a single span that names its object itself.
type group struct {
	object objectspan.Resource
	// guessed is true when the source gave the kind but not the resource.
	guessed bool
	// resource is where the members are. It is home to the object's own span too if it carries what receivers write.
	resource ptrace.ResourceSpans
	home     bool
	node     *hierarchy.Node
	// profile is what is known of the object's content, and connected where its links were sent last.
	profile   *profile
	connected connection
	end       int // of its members; they begin where the ones of the group before end
}

// member is a span that is on an object.
type member struct {
	span     ptrace.Span
	kind     memberKind
	spanType string
	// taught is true when the owner references of the span were learned; they go over to the object's own span.
	taught bool
	place  *place
}

type memberKind int8

const (
	// foreign spans come from other sources than Kelemetry's receivers; they have parents of their own.
	foreign memberKind = iota
	// native spans always go right under their object.
	native
	// linking spans were made by a k8slink for links. They are native spans whose ID depends on their trace.
	linking
	// object spans were made by a k8slink. They are taken for knowledge, and become settled or consumed.
	object
	// settled spans were placed by another k8slink and stay as they are.
	settled
	// consumed object spans leave the batch.
	consumed
)

// stats counts what happened to a batch. Failed batches are not counted: they come again.
type stats struct {
	rehomed, kept, untouched int64
	objectSpans, linkSpans   int64
	cutByCycle, cutByDepth   int64
	malformedOwners          int64
	joins                    joinStats
	objectLookups            map[lookup.Result]int64
	folded                   int64
	// unreadable counts snapshots that are no JSON object.
	unreadable int64
}

// newBatch takes the space of a batch that is done with, if there is one.
func newBatch(e *engine, td ptrace.Traces) *batch {
	b, ok := e.done.Get().(*batch)
	if !ok {
		b = &batch{forest: hierarchy.NewForest()}
	}
	b.engine, b.traces = e, td
	b.groups = slices.Grow(b.groups, td.ResourceSpans().Len())
	b.members = slices.Grow(b.members, td.SpanCount())
	return b
}

// maxReused keeps the space of a huge batch from staying for ever.
const maxReused = 4096

// release leaves the space of a batch to others. Nobody may use the batch any more.
func (b *batch) release() {
	if max(cap(b.groups), cap(b.members), cap(b.placing.chains)/4) > maxReused {
		return
	}
	e := b.engine
	clear(b.groups)
	clear(b.members)
	b.forest.Reset()
	clear(b.folded.loads)
	*b = batch{
		forest: b.forest, groups: b.groups[:0], members: b.members[:0], placing: b.placing.reset(),
		folded: folded{loads: b.folded.loads[:0]},
	}
	e.done.Put(b)
}

// read finds the spans that are on objects, and learns the types of those objects.
func (b *batch) read() {
	resources := b.traces.ResourceSpans()
	for i := range resources.Len() {
		rs := resources.At(i)
		r, guessed, ok := b.engine.readObject(rs.Resource().Attributes(), rs.Resource().Attributes())
		scopes := rs.ScopeSpans()
		for j := range scopes.Len() {
			spans := scopes.At(j).Spans()
			for k := range spans.Len() {
				if ok {
					b.append(spans.At(k))
				} else {
					b.readSpan(rs, spans.At(k))
				}
			}
		}
		if ok {
			b.closeGroup(group{object: r, guessed: guessed, resource: rs, home: true})
		}
	}
}

// readSpan reads a span whose resource is no object.
func (b *batch) readSpan(rs ptrace.ResourceSpans, span ptrace.Span) {
	r, guessed, ok := b.engine.readObject(span.Attributes(), rs.Resource().Attributes())
	if !ok {
		b.stats.untouched++
		return
	}
	b.append(span)
	b.closeGroup(group{object: r, guessed: guessed, resource: rs})
}

func (b *batch) append(span ptrace.Span) {
	kind, spanType := foreign, ""
	if v, ok := span.Attributes().Get(attr.SpanType); ok {
		spanType = v.Str()
		switch spanType {
		case attr.SpanTypeObject:
			kind = object
		case attr.SpanTypeLink:
			kind = linking
		default:
			kind = native
		}
	}
	b.members = append(b.members, member{span: span, kind: kind, spanType: spanType})
}

func (b *batch) closeGroup(g group) {
	begin := 0
	if n := len(b.groups); n > 0 {
		begin = b.groups[n-1].end
	}
	g.end = len(b.members)
	b.groups = append(b.groups, g)
	// An object span may be of an ancestor whose resource was guessed, so it is no witness.
	witness := func(m member) bool { return m.kind != object }
	if !g.guessed && slices.ContainsFunc(b.members[begin:], witness) {
		b.engine.knowledge.Types().Learn(g.object)
	}
}

// readObject reads the object that attributes name. The cluster may stand on the resource when the rest is on the span.
func (e *engine) readObject(attrs, resource pcommon.Map) (r objectspan.Resource, guessed, ok bool) {
	plural, named := attrs.Get(attr.ObjectResource)
	guessed = !named || plural.Str() == ""
	if guessed {
		if _, ok := attrs.Get(attr.ObjectKind); !ok {
			return r, guessed, false
		}
	}
	if r, ok = objectspan.ReadResource(attrs); !ok {
		return r, guessed, false
	}
	r.Cluster = e.clusterOf(attrs, resource)
	return r, guessed, true
}

func (e *engine) clusterOf(attrs, resource pcommon.Map) string {
	if cluster := text(attrs, attr.ClusterName); cluster != "" {
		return cluster
	}
	if cluster := text(resource, attr.ClusterName); cluster != "" {
		return cluster
	}
	if e.defaultCluster != "" {
		return e.defaultCluster
	}
	return text(resource, attr.ServiceName)
}

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}

// plant puts the objects into the forest, with what their spans tell of their owners.
func (b *batch) plant() {
	owners := ownerReader{ownerCache: b.engine.ownerCache}
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		if g.guessed {
			b.engine.correct(&g.object)
		}
		g.node = b.forest.Add(g.object)
		for j := begin; j < g.end; j++ {
			m := &b.members[j]
			m.taught = owners.read(g.node, m.span, m.kind)
			if m.kind != object {
				g.node.See(m.span.StartTimestamp())
			}
			if m.kind == native && tellsTheEnd(m.span) {
				g.node.Bury(m.span.StartTimestamp())
			}
		}
		begin = g.end
	}
	b.stats.malformedOwners = owners.malformed
}

// correct replaces the guess of a custom kind's resource by what was learned from other spans.
func (e *engine) correct(r *objectspan.Resource) {
	if _, builtIn := kinds.ByKind(r.Group, r.Kind); builtIn {
		return
	}
	resource, clusterScoped := e.knowledge.Types().Resource(r.Cluster, r.Group, r.Kind)
	r.Object.Resource = resource
	if clusterScoped {
		r.Namespace = ""
	}
}
