// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Source says where an object's owner was found.
type Source int

// The sources, in the order in which they are asked.
const (
	// SourceUnknown: nobody told; the object is taken for a root.
	SourceUnknown Source = iota
	// SourceNone: it is known that there is no owner to place the object under.
	SourceNone
	SourceBatch
	SourceCache
	// SourceLink: no owner is known, and a link places the object.
	SourceLink
	// SourceWatch: a component of the same process had seen the object.
	SourceWatch
	// SourceLookup: the API server told, or a look-up before had it tell.
	SourceLookup
	numSources
)

// Sources counts objects by Source.
type Sources [numSources]int64

// Node is one life of an object, in one batch.
type Node struct {
	objectspan.Resource
	ID identity.ID

	source Source
	owner  *Node
	// believed is the fact that the owner comes from, if known.
	believed fact
	known    bool
	// subject is true when spans of the batch are on the object itself, false for mere ancestors.
	subject bool
	taught  bool
	lesson  fact
	// latest is the start of the last span, and deleted that of the last one that tells of the object's end; 0 if there is
	// none.
	latest, deleted pcommon.Timestamp
}

// See says that a span on the object started at that time.
func (n *Node) See(at pcommon.Timestamp) { n.latest = max(n.latest, at) }

// Bury says that a span which started at that time tells of the object's end.
func (n *Node) Bury(at pcommon.Timestamp) { n.deleted = max(n.deleted, at) }

// Owners returns the owner references, and false when they are unknown.
func (n *Node) Owners() (OwnerList, bool) {
	if !n.known {
		return OwnerList{}, false
	}
	return n.believed.owners.Value(), true
}

// Told returns the time of the lesson that the owners come from, and false when it was not about this very life.
func (n *Node) Told() (pcommon.Timestamp, bool) {
	return n.believed.at, n.known && n.believed.uid == n.UID
}

// SpeaksBefore orders the nodes of one object, when only one can be shown: the life heard of most recently.
func (n *Node) SpeaksBefore(other *Node) bool {
	switch {
	case n.known != other.known:
		return n.known
	case n.known && n.believed != other.believed:
		return n.believed.newerThan(other.believed)
	default:
		return n.UID > other.UID
	}
}

// Teach says what a span that started at that time told of the object's owners. The newest lesson of a batch counts.
func (n *Node) Teach(owners Owners, at pcommon.Timestamp) {
	lesson := fact{uid: n.UID, at: at, owners: owners}
	if !n.taught || lesson.newerThan(n.lesson) {
		n.taught, n.lesson = true, lesson
	}
}

// describe takes over what else is known of the object. What spans of the object say counts before what references to
// it say; among equals the alphabetically first, whatever the order.
func (n *Node) describe(r objectspan.Resource) {
	n.Kind = firstOf(n.Kind, r.Kind)
	n.APIVersion = firstOf(n.APIVersion, r.APIVersion)
}

func firstOf(a, b string) string {
	if a == "" || (b != "" && b < a) {
		return b
	}
	return a
}

// Forest is the objects of one batch and, once completed, their ancestors. It is not safe for concurrent use.
type Forest struct {
	nodes    map[life]*Node
	subjects []*Node
	// mentioned are objects that are new to the forest, no subjects, and whose ancestors are not found yet.
	mentioned []*Node
	foster    Foster
	sources   Sources
	// misplaced counts objects whose owner cannot be where it would have to be.
	misplaced int64
	// slabs are what nodes are cut from, one after the other; those from the number used on are empty.
	slabs [][]Node
	used  int
}

const maxSlab = 64

type life struct {
	identity.Object
	uid string
}

// NewForest starts an empty one.
func NewForest() *Forest { return &Forest{nodes: make(map[life]*Node)} }

// Reset makes it an empty one, and keeps its space. Nobody may use its nodes any more.
func (f *Forest) Reset() {
	for i := range f.slabs[:f.used] {
		clear(f.slabs[i])
		f.slabs[i] = f.slabs[i][:0]
	}
	clear(f.nodes)
	clear(f.subjects)
	clear(f.mentioned)
	*f = Forest{nodes: f.nodes, subjects: f.subjects[:0], mentioned: f.mentioned[:0], slabs: f.slabs}
}

// Add plants an object that spans are on.
func (f *Forest) Add(r objectspan.Resource) *Node {
	node, created := f.node(r)
	if created {
		node.subject = true
		f.subjects = append(f.subjects, node)
	} else {
		node.describe(r)
	}
	return node
}

// Mention plants an object that a link leads to. Its ancestors are found when the forest is extended.
func (f *Forest) Mention(r objectspan.Resource) *Node {
	node, created := f.node(r)
	if created {
		f.mentioned = append(f.mentioned, node)
	} else if !node.subject {
		node.describe(r)
	}
	return node
}

// Foster names the object that one without an owner is placed under, if any.
type Foster func(*Node) (objectspan.Resource, bool)

// SetFoster has objects without a known owner placed when the forest is completed.
func (f *Forest) SetFoster(foster Foster) { f.foster = foster }

// ancestor plants an object that an owner reference or a foster names.
func (f *Forest) ancestor(r objectspan.Resource) (node *Node, created bool) {
	node, created = f.node(r)
	if !created && !node.subject {
		node.describe(r)
	}
	return node, created
}

func (f *Forest) node(r objectspan.Resource) (node *Node, created bool) {
	key := life{r.Object, r.UID}
	if node, ok := f.nodes[key]; ok {
		return node, false
	}
	node = f.cut()
	*node = Node{Resource: r, ID: identity.ObjectID(r.Object)}
	f.nodes[key] = node
	return node, true
}

// cut makes room for a node.
func (f *Forest) cut() *Node {
	if f.used == 0 || len(f.slabs[f.used-1]) == cap(f.slabs[f.used-1]) {
		if f.used == len(f.slabs) {
			f.slabs = append(f.slabs, make([]Node, 0, min(max(1, len(f.nodes)), maxSlab)))
		}
		f.used++
	}
	slab := &f.slabs[f.used-1]
	*slab = (*slab)[:len(*slab)+1]
	return &(*slab)[len(*slab)-1]
}

// Misplaced counts the objects of a completed forest that are said to be owned by what cannot own them: an object without
// a namespace by one in a namespace.
func (f *Forest) Misplaced() int64 { return f.misplaced }

// Sources counts the objects of a completed forest by where their owners were found.
func (f *Forest) Sources() Sources { return f.sources }
