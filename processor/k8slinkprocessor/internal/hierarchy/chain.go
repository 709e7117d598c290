// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import "bytes"

// Cut says why a chain does not reach the end of the owner references.
type Cut int

// The reasons.
const (
	Whole Cut = iota
	// CutCycle: the references run in a circle. The chain ends at the object of the circle with the smallest object
	// id, which is the same for all objects that lead into it.
	CutCycle
	// CutDepth: the chain has as many objects as the limit allows.
	CutDepth
)

// Chain lists an object and its ancestors, the root last. It writes over buf, to use its space.
// It depends on nothing but the knowledge that completed the forest.
func (n *Node) Chain(maxDepth int, buf []*Node) ([]*Node, Cut) {
	chain := buf[:0]
	chain = append(chain, n)
	for {
		last := chain[len(chain)-1]
		next := last.owner
		switch {
		case len(chain) == maxDepth && last.owned():
			return chain, CutDepth
		case next == nil:
			return chain, Whole
		}
		for i, seen := range chain {
			if seen.ID == next.ID {
				return chain[:i+1+smallest(chain[i:])], CutCycle
			}
		}
		chain = append(chain, next)
	}
}

// owned is true when an owner, or what stands in for one, is known, even if it was too far up to be planted.
func (n *Node) owned() bool { return n.source >= SourceBatch }

// Rooted is true of the last node of a chain when it is known to have no owner.
func (n *Node) Rooted() bool { return n.source == SourceNone }

func smallest(circle []*Node) int {
	least := 0
	for i, n := range circle {
		if bytes.Compare(n.ID[:], circle[least].ID[:]) < 0 {
			least = i
		}
	}
	return least
}
