// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// Finder looks up what no span told. Its calls do not take longer than a batch may wait.
type Finder interface {
	// Owners looks up the owners of objects, and returns those answers that it gets, about the life that is asked for.
	Owners(ctx context.Context, wanted []Question) []Answer
	// Kinds looks up the resources of kinds.
	Kinds(ctx context.Context, wanted []Kind) []Type
}

// Question asks for the owners of a life of an object.
type Question struct {
	identity.Object
	// UID is empty when it is not known which life it is.
	UID string
	// Latest is the start of the last of the spans on the object; 0 if there is none.
	Latest pcommon.Timestamp
}

// Answer says who owned an object when it was asked.
type Answer struct {
	// Question is the index of what was asked.
	Question int
	UID      string
	Owners   Owners
	At       time.Time
	// Source is SourceWatch or SourceLookup.
	Source Source
}

// Kind is a kind in a cluster.
type Kind struct{ Cluster, Group, Kind string }

// Type is the resource of a kind.
type Type struct {
	Kind
	Resource   string
	Namespaced bool
}

// find has the finder look up the owners of those nodes of a level whose owners are not known, and learns the answers.
func (k *Knowledge) find(ctx context.Context, level []*Node, finder Finder) {
	var wanted []*Node
	var questions []Question
	for _, n := range level {
		if n.source == SourceUnknown && n.Cluster != "" {
			wanted = append(wanted, n)
			questions = append(questions, Question{n.Object, n.UID, n.latest})
		}
	}
	if len(wanted) == 0 {
		return
	}
	answers := finder.Owners(ctx, questions)
	k.factsMu.Lock()
	defer k.factsMu.Unlock()
	for _, a := range answers {
		n := wanted[a.Question]
		f := fact{uid: a.UID, at: pcommon.NewTimestampFromTime(a.At), owners: a.Owners}
		known, ok := k.facts.get(n.ID)
		if ok {
			known = known.with(f)
		} else {
			known = firstFact(f)
		}
		k.facts.put(n.ID, known, a.At)
		if n.believe(known, false); n.source == SourceCache {
			n.source = a.Source
		}
	}
}

// findKinds has the finder look up the custom kinds of a level's owners that no span has shown.
func (k *Knowledge) findKinds(ctx context.Context, level []*Node, finder Finder) {
	var wanted []Kind
	seen := map[Kind]bool{}
	for _, n := range level {
		if !n.owned() {
			continue
		}
		ref, _ := n.believed.owners.Value().Owner()
		group, _ := identity.GroupVersion(ref.APIVersion)
		kind := Kind{n.Cluster, group, ref.Kind}
		if kind.Cluster == "" || seen[kind] || k.types.knows(kind) {
			continue
		}
		seen[kind] = true
		wanted = append(wanted, kind)
	}
	if len(wanted) == 0 {
		return
	}
	for _, t := range finder.Kinds(ctx, wanted) {
		k.types.learn(t)
	}
}
