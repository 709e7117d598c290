// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diffjoin // import "github.com/kelemetry/kelemetry/internal/diffjoin"

import (
	"cmp"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Pair is a request and the change that it made, as indexes.
type Pair struct {
	Request, Change int
	Join            Join // Exact or Inferred
}

// Pairs joins all that is known of one object, as Find does one request at a time: no change is in pairs with two requests,
// and no request with two changes. It looks only at what may belong together, so its cost grows as what is given, but for the sorting.
// Where more lies close together than anybody could tell apart, nothing is joined by time.
func (r Rule) Pairs(requests []Request, changes []Change) []Pair {
	m := r.match(requests, changes)
	var pairs []Pair
	for i := range requests {
		if change, join := m.find(i); join > Ambiguous {
			pairs = append(pairs, Pair{i, change, join})
		}
	}
	return pairs
}

// maxCandidates is how many changes a request may have made at most, for it to be looked at which of them it made.
const maxCandidates = 128

// candidate is a change that a request may have made.
type candidate struct {
	change int
	why    reason
}

// claims are the best reason that any request has for a change, and the best of all other requests.
type claims struct {
	best, other reason
	by          pcommon.SpanID
}

func (c *claims) add(why reason, by pcommon.SpanID) {
	switch {
	case by == c.by || c.best == noReason:
		c.best, c.by = max(c.best, why), by
	case why > c.best:
		c.best, c.by, c.other = why, by, c.best
	default:
		c.other = max(c.other, why)
	}
}

// but is the best reason of others than that request.
func (c *claims) but(id pcommon.SpanID) reason {
	if c.by == id {
		return c.other
	}
	return c.best
}

// matching is which requests may have made which changes.
type matching struct {
	requests   []Request
	changes    []Change
	candidates [][]candidate // by request
	claims     []claims      // by change
}

func (r Rule) match(requests []Request, changes []Change) *matching {
	m := &matching{requests: requests, changes: changes, candidates: make([][]candidate, len(requests)), claims: make([]claims, len(changes))}
	x := newIndex(changes)
	for i := range requests {
		near, crowded := x.near(&requests[i], r.Tolerance)
		if crowded {
			continue
		}
		for _, at := range near {
			if why := r.reason(&requests[i], &changes[at]); why != noReason {
				m.candidates[i] = append(m.candidates[i], candidate{at, why})
				m.claims[at].add(why, requests[i].ID)
			}
		}
	}
	x.eachCrowded(func(change int, why reason) {
		// As if two others had that reason.
		c := &m.claims[change]
		c.best, c.other = max(c.best, why), max(c.other, why)
	})
	return m
}

// find is to Find as match is to looking at everything.
func (m *matching) find(request int) (change int, join Join) {
	var of choice
	for _, c := range m.candidates[request] {
		of.consider(c.why, c.change, m.changes[c.change].ID)
	}
	if of.tied {
		of = choice{}
		for _, c := range m.candidates[request] {
			if m.claim(request, c) <= c.why {
				of.consider(c.why, c.change, m.changes[c.change].ID)
			}
		}
	}
	switch {
	case of.tied:
		return -1, Ambiguous
	case of.why == noReason:
		return -1, None
	}
	switch claim := m.claim(request, candidate{of.index, of.why}); {
	case claim > of.why:
		return -1, None
	case claim == of.why:
		return -1, Ambiguous
	default:
		return of.index, of.why.join()
	}
}

func (m *matching) claim(request int, c candidate) reason {
	best := m.claims[c.change].but(m.requests[request].ID)
	if best != noReason && m.requests[request].mayBeNoop() {
		return max(best, c.why)
	}
	return best
}

// index finds changes by what joins them to requests.
type index struct {
	byVersion, byPrevious map[string][]int
	// points are when changes were observed, and when managers say that they made them, in order of time.
	points []point
	// crowds has, at points, how many requests more begin to have too many candidates there than end to.
	crowds []int
	// crowded are changes among too many of one version.
	crowded map[int]reason
}

type point struct {
	at     int64 // nanoseconds since 1970
	change int
}

func newIndex(changes []Change) *index {
	x := &index{byVersion: map[string][]int{}, byPrevious: map[string][]int{}, crowded: map[int]reason{}}
	for i := range changes {
		c := &changes[i]
		if c.Version != "" {
			x.byVersion[c.Version] = append(x.byVersion[c.Version], i)
		}
		if c.Previous != "" {
			x.byPrevious[c.Previous] = append(x.byPrevious[c.Previous], i)
		}
		x.points = append(x.points, point{c.At.UnixNano(), i})
		for j := range c.Managers {
			if at := c.Managers[j].Time; !at.IsZero() {
				x.points = append(x.points, point{at.UnixNano(), i})
			}
		}
	}
	slices.SortFunc(x.points, func(a, b point) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.change, b.change)) })
	x.crowds = make([]int, len(x.points)+1)
	return x
}

// near returns all changes for which the request can have a reason, and maybe others, in order and each once. If there are too many of
// them it returns none, and remembers which they are.
func (x *index) near(q *Request, tolerance time.Duration) (changes []int, crowded bool) {
	if q.Version != "" {
		return x.of(x.byVersion[q.Version], byVersion)
	}
	if q.effect == writes && q.Previous != "" {
		if changes, crowded = x.of(x.byPrevious[q.Previous], byPrevious); crowded {
			return nil, true
		}
	}
	from := q.Start.Add(-tolerance).Truncate(second).UnixNano()
	to := q.End.Add(tolerance).UnixNano()
	search := func(at int64) int {
		i, _ := slices.BinarySearchFunc(x.points, at, func(p point, at int64) int { return cmp.Compare(p.at, at) })
		return i
	}
	first, end := search(from), search(to+1)
	if end-first > maxCandidates {
		x.crowds[first]++
		x.crowds[end]--
		return nil, true
	}
	changes = slices.Clone(changes)
	for _, p := range x.points[first:max(first, end)] {
		changes = append(changes, p.change)
	}
	slices.Sort(changes)
	return slices.Compact(changes), false
}

func (x *index) of(changes []int, why reason) (of []int, crowded bool) {
	if len(changes) <= maxCandidates {
		return changes, false
	}
	if x.crowded[changes[0]] < why {
		for _, change := range changes {
			x.crowded[change] = max(x.crowded[change], why)
		}
	}
	return nil, true
}

// eachCrowded visits the changes that are among too many, with the reason that requests would have had.
func (x *index) eachCrowded(visit func(change int, why reason)) {
	depth := 0
	for i := range x.points {
		if depth += x.crowds[i]; depth > 0 {
			visit(x.points[i].change, byTime)
		}
	}
	for change, why := range x.crowded {
		visit(change, why)
	}
}
