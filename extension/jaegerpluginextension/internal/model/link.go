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

// roleUnspecified is the role of a link that has none.
const roleUnspecified = "link"

// readLink reads the attributes of a link span. It reports false if they name no object.
func readLink(attrs pcommon.Map) (l Link, ok bool) {
	var id string
	for key, value := range attrs.All() {
		switch key {
		case attr.LinkRole:
			l.Role = value.AsString()
		case attr.LinkClass:
			l.Class = value.AsString()
		case attr.LinkRule:
			l.Rule = value.AsString()
		case attr.LinkDirection:
			l.Direction = value.AsString()
		case attr.LinkTargetID:
			id = value.AsString()
		case attr.LinkTargetCluster:
			l.Target.Cluster = value.AsString()
		case attr.LinkTargetGroup:
			l.Target.Group = value.AsString()
		case attr.LinkTargetResource:
			l.Target.Resource = value.AsString()
		case attr.LinkTargetKind:
			l.Target.Kind = value.AsString()
		case attr.LinkTargetNamespace:
			l.Target.Namespace = value.AsString()
		case attr.LinkTargetName:
			l.Target.Name = value.AsString()
		case attr.LinkTargetUID:
			l.Target.UID = value.AsString()
		}
	}
	l.Role = cmp.Or(l.Role, roleUnspecified)
	l.Target.ID, ok = ParseID(id)
	if !ok && l.Target.Cluster != "" && l.Target.Resource != "" {
		l.Target.ID, ok = identity.ObjectID(l.Target.Object), true
	}
	return l, ok
}

func compareLinks(a, b *Link) int {
	return cmp.Or(
		cmp.Compare(a.Class, b.Class), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Direction, b.Direction),
		cmp.Compare(a.Target.Cluster, b.Target.Cluster), cmp.Compare(a.Target.Resource, b.Target.Resource),
		cmp.Compare(a.Target.Namespace, b.Target.Namespace), cmp.Compare(a.Target.Name, b.Target.Name),
		slices.Compare(a.Target.ID[:], b.Target.ID[:]),
		-cmp.Compare(len(a.Target.UID), len(b.Target.UID)), cmp.Compare(a.Target.UID, b.Target.UID), cmp.Compare(a.Rule, b.Rule),
	)
}

// sameLink is true of links that differ in nothing that a reader would see: one in each window.
func sameLink(a, b *Link) bool {
	return a.Class == b.Class && a.Role == b.Role && a.Direction == b.Direction && a.Target.ID == b.Target.ID
}

// linkLives gives each life its links. A link span with no UID is of the life at its time.
func (o *Object) linkLives() {
	for _, l := range o.links {
		life := o.lifeAt(l.resource.UID, l.start)
		life.Links = append(life.Links, &l.Link)
	}
	for _, life := range o.Lives {
		slices.SortFunc(life.Links, compareLinks)
		life.Links = slices.CompactFunc(life.Links, sameLink)
	}
}
