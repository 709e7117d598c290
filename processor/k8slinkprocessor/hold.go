// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"context"
	"time"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// hold waits until the changes of a batch are as old as the configuration says, so that audit spans of the requests that
// made them can come by and take their diffs; then it leaves out those whose diff was taken. The caller waits with it: what is held is
// not acknowledged yet, and nothing is lost if the process ends. Only batches of nothing but watch spans are held, so that no other
// span ever waits.
func (p *linkProcessor) hold(ctx context.Context, b *batch) error {
	if p.engine.hold == 0 || !b.isWatchOnly() {
		return nil
	}
	rest := b.heldUntil(p.engine.hold).Sub(p.engine.clock())
	if rest > 0 {
		timer := time.NewTimer(min(rest, p.engine.hold))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.spare()
	return nil
}

// isWatchOnly is true of a batch in which all spans that came in are watch spans, and there is a change among them that
// could be joined.
func (b *batch) isWatchOnly() bool {
	if len(b.joining.changes) == 0 || b.stats.untouched > 0 {
		return false
	}
	for i := range b.members {
		if b.members[i].spanType != attr.SpanTypeWatch {
			return false
		}
	}
	return true
}

func (b *batch) heldUntil(hold time.Duration) time.Time {
	var last time.Time
	for i := range b.joining.changes {
		if at := b.joining.changes[i].At; at.After(last) {
			last = at
		}
	}
	return last.Add(hold)
}

// spare takes out the watch spans whose diffs are on audit spans that the next component has accepted.
func (b *batch) spare() {
	begin, next := 0, 0
	for i := range b.groups {
		g := &b.groups[i]
		for j := begin; j < g.end && next < len(b.joining.changes); j++ {
			m, c := &b.members[j], &b.joining.changes[next]
			if m.span.SpanID() != c.ID || g.node.ID != c.Object {
				continue
			}
			next++
			if b.engine.joins.Delivered(c.Object, c.ID) {
				m.kind = consumed
				b.consumed++
				b.stats.joins.spared++
			}
		}
		begin = g.end
	}
	b.removeConsumed()
}
