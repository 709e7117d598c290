// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"context"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
)

// lookUpObjects looks up the objects that a rule concerns and that no span has shown whole, or whose changes could not be followed.
// After the owners: they get the batch's time first. What is placed by a link that is found so is placed from the next batch on.
func (b *batch) lookUpObjects(ctx context.Context) {
	if b.finder == nil || !b.engine.asksForLinks {
		return
	}
	var (
		wanted []*lookup.Wanted
		groups []wantedGroup
		seen   map[identity.ID]struct{}
	)
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		members := b.members[begin:g.end]
		begin = g.end
		if !b.isWanted(g, members) {
			continue
		}
		if _, twice := seen[g.node.ID]; twice {
			continue
		}
		if seen == nil {
			seen = make(map[identity.ID]struct{})
		}
		seen[g.node.ID] = struct{}{}
		wanted = append(wanted, &lookup.Wanted{Object: g.object.Object, UID: g.object.UID})
		groups = append(groups, wantedGroup{g, members})
	}
	if len(wanted) == 0 {
		return
	}
	b.finder.Objects(ctx, wanted)
	now := timestampOf(b.engine.clock())
	b.stats.objectLookups = make(map[lookup.Result]int64)
	for i, w := range wanted {
		b.stats.objectLookups[w.Result]++
		if w.Result == lookup.Found {
			b.see(groups[i].group, w.Content, groups[i].timeOf(w.Version, now), w.Version)
		}
	}
	b.engine.profiles.recallGroups(b.groups)
}

type wantedGroup struct {
	*group
	members []member
}

// timeOf is as of when a looked-up object counts: now, unless its version is older than what spans tell of, because it came out
// of a cache. Then it is older than they are.
func (g wantedGroup) timeOf(version string, now pcommon.Timestamp) pcommon.Timestamp {
	found, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return now
	}
	at := now
	for i := range g.members {
		span := g.members[i].span
		told, err := strconv.ParseUint(text(span.Attributes(), attr.ObjectResourceVersion), 10, 64)
		if start := span.StartTimestamp(); err == nil && told > found && start > 0 {
			at = min(at, start-1)
		}
	}
	return at
}

// isWanted is true of an object that a rule concerns, unless what is known of it will do.
func (b *batch) isWanted(g *group, members []member) bool {
	if g.profile != nil && (g.profile.state.Whole() && !g.profile.state.Stale()) || g.node.Name == "" ||
		!b.engine.rules.Concern(g.object.Group, g.object.Object.Resource) {
		return false
	}
	for i := range members {
		if k := members[i].kind; k == native || k == foreign {
			return true
		}
	}
	return false
}
