// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"fmt"
	"slices"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// The attributes that only views have.
const (
	fieldLife  = "life"
	fieldLink  = "link"
	fieldLinks = "links"
	fieldOwner = "owner"
	fieldGroup = "group"

	fieldTraceContext = "trace context "
)

// noteReferences says on each object who owns it, if that is not shown above it, and what it refers to; and links to the
// views of those that are not shown here.
func (t *tree) noteReferences() {
	shown := map[identity.ID]bool{}
	parents := map[*node]*node{}
	t.each(func(n *node) {
		if n.life != nil {
			shown[n.object.ID] = true
		}
		for _, child := range n.children {
			parents[child] = n
		}
	})
	t.each(func(n *node) {
		if n.life == nil {
			return
		}
		if owner := n.life.Owner; !owner.IsZero() && (parents[n] == nil || parents[n].object.ID != owner.ID) {
			n.put(fieldOwner, fullName(owner, n.object.Cluster)+here(shown[owner.ID]))
			t.refer(n, owner, shown)
		}
		var links []string
		for i, l := range n.life.Links {
			if i == maxNoted {
				links = append(links, fmt.Sprintf("and %d more", len(n.life.Links)-maxNoted))
				break
			}
			note := relation(l) + " " + fullName(l.Target, n.object.Cluster)
			if l.Class != "" {
				note = l.Class + ": " + note
			}
			links = append(links, note+here(shown[l.Target.ID]))
			t.refer(n, l.Target, shown)
		}
		if len(links) > 0 {
			n.put(fieldLinks, links)
		}
	})
}

// maxNoted is how many references of one object are told: of all the Pods of a node more would help nobody.
const maxNoted = 100

func here(shown bool) string {
	if shown {
		return " (in this view)"
	}
	return ""
}

// refer links to the view of an object. Links within a trace make Jaeger's UI draw circles, so there are none.
func (t *tree) refer(n *node, to model.Ref, shown map[identity.ID]bool) {
	if t.options.DisplayID != nil && !shown[to.ID] && !slices.Contains(n.refs, to.ID) {
		n.refs = append(n.refs, to.ID)
	}
}
