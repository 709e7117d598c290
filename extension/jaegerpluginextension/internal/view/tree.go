// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// tree is a view in the making.
type tree struct {
	graph   *model.Graph
	mode    mode.Mode
	options Options
	// focus is the object that was asked for.
	focus *model.Object
	// tops are the nodes without a parent. From plantRoot on there is one.
	tops []*node
	// shown are the nodes of lives.
	shown map[*model.Life]*node
	// missing are objects that would be shown if the graph had them.
	missing []Want
	linked  int
}

// node becomes a span.
type node struct {
	object *model.Object // that it is about
	life   *model.Life   // of an object's own span; nil otherwise
	kind   nodeKind
	name   string
	// linked is set if the object is shown because of a reference.
	linked bool
	// start and end are set by shrink, or from the beginning.
	start, end pcommon.Timestamp
	// items are what happened; they become the logs.
	items []*item
	// entry is what a span of an entry tells of; foreign, the span of another source.
	entry    *item
	foreign  *model.Entry
	fields   []field
	refs     []identity.ID // objects to link to
	warnings []string
	children []*node
}

type nodeKind int

// The kinds of nodes. A virtual one stands for no single stored thing.
const (
	objectNode nodeKind = iota
	entryNode
	foreignNode
	virtualNode
)

// field is an attribute that only views have.
type field struct {
	key   string
	value any // string or []string
}

func (n *node) put(key string, value any) { n.fields = append(n.fields, field{key, value}) }

// newGroup makes a virtual node, and says what is grouped by.
func newGroup(of *model.Object, by, name string, children ...*node) *node {
	n := &node{object: of, kind: virtualNode, name: name, children: children}
	n.put(fieldGroup, by)
	return n
}

// each calls visit for every node, parents first. Children that visit adds are visited too.
func (t *tree) each(visit func(*node)) {
	stack := make([]*node, 0, 64)
	for i := len(t.tops) - 1; i >= 0; i-- {
		stack = append(stack, t.tops[i])
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		visit(n)
		for i := len(n.children) - 1; i >= 0; i-- {
			stack = append(stack, n.children[i])
		}
	}
}

// fromBelow returns all nodes, children before their parents.
func (t *tree) fromBelow() []*node {
	var all []*node
	t.each(func(n *node) { all = append(all, n) })
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

func (t *tree) from() pcommon.Timestamp { return bound(t.options.From, 0) }
func (t *tree) to() pcommon.Timestamp   { return bound(t.options.To, latest) }

// latest is a time that Jaeger can tell and that leaves room to pad a root.
const latest = pcommon.Timestamp(1)<<62 + 1<<61

func bound(at time.Time, otherwise pcommon.Timestamp) pcommon.Timestamp {
	if at.IsZero() || at.Unix() < 0 || at.Unix() > int64(latest/1e9) {
		return otherwise
	}
	return pcommon.NewTimestampFromTime(at)
}
