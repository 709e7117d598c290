// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diffjoin // import "github.com/kelemetry/kelemetry/internal/diffjoin"

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Rule is how requests and changes of one object are joined.
type Rule struct {
	// Tolerance is how far a change may have been observed outside of the time of the request that made it.
	Tolerance time.Duration
}

// Join is how sure it is that a request made a change.
type Join int8

const (
	// None: no change that is known was made by the request.
	None Join = iota
	// Ambiguous: it made one of several, or several may have made it.
	Ambiguous
	// Inferred: by the version that it was based on, or by field manager and time.
	Inferred
	// Exact: by the version that it made.
	Exact
)

// reason is why a request should have made a change. The greater one is the better.
type reason int8

const (
	noReason reason = iota
	// byTime: object, field manager and time fit, or object, kind of change and time.
	byTime
	// byPrevious: it succeeded on the condition that the object was as it was right before the change.
	byPrevious
	// byVersion: it made the resourceVersion that the object had after the change.
	byVersion
)

func (r reason) join() Join {
	switch r {
	case noReason:
		return None
	case byVersion:
		return Exact
	default:
		return Inferred
	}
}

// Find returns the change that a request made, given all requests and changes that are known of the object. Whether the
// request is among them makes no difference. The index is valid if the join is Exact or Inferred.
func (r Rule) Find(request *Request, requests []Request, changes []Change) (change int, join Join) {
	var of choice
	for i := range changes {
		of.consider(r.reason(request, &changes[i]), i, changes[i].ID)
	}
	if of.tied {
		// Of changes that are another's for a better reason, none is this one's; that may leave one only.
		of = r.unclaimed(request, requests, changes, of.why)
	}
	switch {
	case of.tied:
		return -1, Ambiguous
	case of.why == noReason:
		return -1, None
	}
	switch claim := r.claim(request, requests, &changes[of.index]); {
	case claim > of.why:
		return -1, None
	case claim == of.why:
		return -1, Ambiguous
	default:
		return of.index, of.why.join()
	}
}

// choice is the change for which there is the best reason, if there is one. It is tied if there are others as good.
type choice struct {
	why   reason
	index int
	id    pcommon.SpanID
	tied  bool
}

func (c *choice) consider(why reason, index int, id pcommon.SpanID) {
	switch {
	case why > c.why:
		*c = choice{why, index, id, false}
	case why == c.why && why != noReason && id != c.id:
		c.tied = true
	}
}

// MayHaveMade is true if there is any reason to think that the request made the change.
func (r Rule) MayHaveMade(request *Request, change *Change) bool {
	return r.reason(request, change) != noReason
}

// unclaimed is the best of the changes for which no other request has a better reason. None is better than atMost.
func (r Rule) unclaimed(request *Request, requests []Request, changes []Change, atMost reason) (of choice) {
	for i := range changes {
		why := r.reason(request, &changes[i])
		if why == noReason || why < of.why || r.claim(request, requests, &changes[i]) > why {
			continue
		}
		of.consider(why, i, changes[i].ID)
		if of.tied && of.why == atMost {
			break
		}
	}
	return of
}

// claim is the best reason that another request has for a change. A request that may have changed nothing has no better
// reason than others, whatever it tells.
func (r Rule) claim(request *Request, requests []Request, change *Change) reason {
	best := noReason
	for i := range requests {
		if requests[i].ID != request.ID {
			best = max(best, r.reason(&requests[i], change))
		}
	}
	if best != noReason && request.mayBeNoop() {
		return max(best, r.reason(request, change))
	}
	return best
}

// mayBeNoop is true unless both versions are told. ReadRequest leaves out those that are known to be no-ops by them.
func (q *Request) mayBeNoop() bool {
	return q.effect == writes && (q.Version == "" || q.Previous == "")
}

// reason says why the request should have made the change, if it can have.
func (r Rule) reason(q *Request, c *Change) reason {
	if !q.canMake(c) || q.Start.After(c.At.Add(second+r.Tolerance)) {
		return noReason
	}
	if c.skipped && (q.Previous == "" || q.Previous != c.Previous) {
		return noReason // several updates may be in one diff, unless the request says that its own is the only one
	}
	if q.Version != "" {
		if q.Version != c.Version || q.contradicted(c) {
			return noReason
		}
		return byVersion
	}
	if q.effect == writes && q.Previous != "" && c.Previous != "" {
		if q.Previous != c.Previous || q.contradicted(c) {
			return noReason
		}
		return byPrevious
	}
	if r.fits(q, c) {
		return byTime
	}
	return noReason
}

// second is how exact the times are that objects tell.
const second = time.Second

func (q *Request) canMake(c *Change) bool {
	if q.UID != "" && c.UID != "" && q.UID != c.UID {
		return false
	}
	switch q.effect {
	case deletes:
		return c.deletion || c.hastened
	case binds:
		return c.bound
	default:
		return !c.deletion
	}
}

// contradicted is that others own all that was changed. A no-op patch, for one, tells the version that others made.
func (q *Request) contradicted(c *Change) bool {
	if q.effect != writes {
		return false
	}
	owned := false
	for i := range c.Managers {
		m := &c.Managers[i]
		if m.Fields == 0 {
			continue
		}
		if m.Name == q.Manager {
			return false
		}
		owned = true
	}
	return owned
}

// fits is by field manager and time. Field managers tell their times by the API server's clock, as the request does. Where
// there is no manager, it is by the time of observation.
func (r Rule) fits(q *Request, c *Change) bool {
	if q.effect != writes {
		return within(c.At, q.Start.Add(-r.Tolerance), q.End.Add(r.Tolerance))
	}
	for i := range c.Managers {
		m := &c.Managers[i]
		if m.Name != q.Manager || m.Subresource != q.Subresource {
			continue
		}
		if m.Time.IsZero() && within(c.At, q.Start.Add(-r.Tolerance), q.End.Add(r.Tolerance)) {
			return true
		}
		if !m.Time.IsZero() && within(m.Time, q.Start, q.End) {
			return true
		}
	}
	return false
}

// within compares by the second.
func within(t, from, to time.Time) bool {
	return !t.Before(from.Truncate(second)) && !t.After(to)
}
