// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
)

// profile is what is known of an object from its content. It does not change.
type profile struct {
	state links.State
	facts links.Facts
	// given are the links that linkers gave for the whole content.
	given []links.Link
	// digest changes with what the object's span tells of the facts; 0 if it tells nothing.
	digest uint64
}

func (p *profile) linked() bool { return len(p.facts.Links)+len(p.given) > 0 }

// links calls f with all links of the object, up to a bound.
func (p *profile) links(bound int, f func(*links.Link)) {
	for i := range p.facts.Links {
		f(&p.facts.Links[i])
	}
	for i := range p.given[:min(len(p.given), max(0, bound-len(p.facts.Links)))] {
		f(&p.given[i])
	}
}

// profiles remembers the profiles of objects from batch to batch.
type profiles struct {
	seed maphash.Seed

	tableMu sync.Mutex
	table   *simplelru.LRU[identity.ID, profileEntry]
	evicted int64
}

type profileEntry struct {
	*profile
	connected connection
}

// connection says that the links of an object in a trace were sent, as their ends were known at a time.
type connection struct {
	trace pcommon.TraceID
	at    pcommon.Timestamp
}

// holds is false when it is time to see whether the other ends are still where they were.
func (c connection) holds(trace pcommon.TraceID, at pcommon.Timestamp) bool {
	return c.trace == trace && max(at, c.at)-min(at, c.at) < reconnectAfter
}

// reconnectAfter is how often, in the time of the spans, links are led anew to where their other ends are.
const reconnectAfter = pcommon.Timestamp(30 * time.Second)

func newProfiles(bound int) (*profiles, error) {
	p := &profiles{seed: maphash.MakeSeed()}
	table, err := simplelru.NewLRU(bound, func(identity.ID, profileEntry) { p.evicted++ })
	if err != nil {
		return nil, fmt.Errorf("making the table of links: %w", err)
	}
	p.table = table
	return p, nil
}

// get returns the profile of an object, or nil.
func (p *profiles) get(id identity.ID) *profile {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	known, _ := p.table.Get(id)
	return known.profile
}

// replace puts a profile in the place of another one. It reports false when somebody else has done so before.
func (p *profiles) replace(id identity.ID, old, with *profile) bool {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	if known, _ := p.table.Get(id); known.profile != old {
		return false
	}
	p.table.Add(id, profileEntry{profile: with})
	return true
}

// connected is what of an object was connected in a batch.
type connected struct {
	id      identity.ID
	profile *profile
	connection
}

// connect remembers connections, unless the profile that they were made by is gone.
func (p *profiles) connect(all []connected) {
	if len(all) == 0 {
		return
	}
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	for _, c := range all {
		if known, ok := p.table.Peek(c.id); ok && known.profile == c.profile {
			p.table.Add(c.id, profileEntry{c.profile, c.connection})
		}
	}
}

// recall sets the profiles of object spans.
func (p *profiles) recall(spans []objectSpan) {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	if p.table.Len() == 0 {
		return
	}
	for i := range spans {
		known, _ := p.table.Peek(spans[i].node.ID)
		spans[i].profile = known.profile
	}
}

// recallGroups sets the profiles of groups.
func (p *profiles) recallGroups(groups []group) {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	if p.table.Len() == 0 {
		return
	}
	for i := range groups {
		known, _ := p.table.Get(groups[i].node.ID)
		groups[i].profile, groups[i].connected = known.profile, known.connected
	}
}

// digest sums up what the object's span tells of the facts.
func (p *profiles) digest(f *links.Facts) uint64 {
	if len(f.Tags)+len(f.Contexts) == 0 {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(p.seed)
	for _, tag := range f.Tags {
		fmt.Fprintf(&h, "%q=%q ", tag.Attribute, fmt.Sprint(tag.Value))
	}
	for _, c := range f.Contexts {
		fmt.Fprintf(&h, "%q=%q ", c.Annotation, c.Parent)
	}
	return max(h.Sum64(), 1)
}

func (p *profiles) stats() (objects, evicted int64) {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	return int64(p.table.Len()), p.evicted
}

// foster has links place the objects of the batch, if there are any that do.
func (b *batch) foster() {
	if b.engine.placesByLink {
		b.forest.SetFoster(b.engine.foster)
	}
}

// foster finds what a link places an object under.
func (e *engine) foster(n *hierarchy.Node) (r objectspan.Resource, ok bool) {
	known := e.profiles.get(n.ID)
	if known == nil {
		return r, false
	}
	known.links(e.maxLinks, func(l *links.Link) {
		if l.Place && l.Role == links.RoleParent && !ok {
			r, ok = e.target(&l.Target), true
		}
	})
	return r, ok
}

// writeTo puts tags and trace contexts on the object's span.
func (p *profile) writeTo(span ptrace.Span) {
	attrs := span.Attributes()
	for _, tag := range p.facts.Tags {
		switch v := tag.Value.(type) {
		case string:
			attrs.PutStr(tag.Attribute, v)
		case int64:
			attrs.PutInt(tag.Attribute, v)
		case float64:
			attrs.PutDouble(tag.Attribute, v)
		case bool:
			attrs.PutBool(tag.Attribute, v)
		case []string:
			list := attrs.PutEmptySlice(tag.Attribute)
			for _, item := range v {
				list.AppendEmpty().SetStr(item)
			}
		}
	}
	for _, c := range p.facts.Contexts {
		attrs.PutStr(attr.TraceContextPrefix+c.Annotation, c.Parent)
		link := span.Links().AppendEmpty()
		link.SetTraceID(c.Trace)
		link.SetSpanID(c.Span)
	}
}
