// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/folding"
)

// settleAfter is how long nothing must have been added to a span that stands for many before its count is settled. settleEvery is how
// often somebody looks.
const settleAfter, settleEvery = 10 * time.Second, time.Second

// alone is a span on an object by itself.
func alone(span ptrace.Span, at *place) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	at.chain[0].CopyTo(rs.Resource().Attributes())
	span.CopyTo(rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	return td
}

// settle tells the counts of spans that nothing was added to for a time, so that they are right in the end, and with them how much
// of the objects was folded in all.
func (p *linkProcessor) settle(ctx context.Context, idle time.Duration) error {
	unsettled := p.engine.folds.Unsettled(idle)
	if len(unsettled) == 0 {
		return nil
	}
	td := ptrace.NewTraces()
	for i := range unsettled {
		u := &unsettled[i]
		rs := td.ResourceSpans().AppendEmpty()
		u.Latest.ResourceSpans().At(0).CopyTo(rs)
		writeFold(rs.ScopeSpans().At(0).Spans().At(0), u.ID, &u.Sum)
	}
	b := newBatch(p.engine, td)
	b.settles = true
	if err := b.link(ctx); err != nil {
		return err
	}
	if err := p.next.ConsumeTraces(ctx, td); err != nil {
		return err
	}
	p.engine.accepted(b)
	p.engine.folds.Settle(unsettled)
	b.release()
	return nil
}

// settling settles again and again. What the next component refuses stays, and is told with the next attempt.
func (p *linkProcessor) settling(ctx context.Context) {
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := p.settle(ctx, settleAfter); err != nil {
				p.logger.Debug("The counts of folded spans were refused. They are tried again.", zap.Error(err))
			}
		case <-ctx.Done():
			return
		}
	}
}

// foldedBefore has the objects' own spans say how much of the objects was folded, to the last one.
func (b *batch) foldedBefore() {
	b.folded.exact = true
	b.eachPlaced(func(g *group, m *member) {
		b.folded.add(b.engine.folds, folding.Object{ID: g.node.ID, Window: m.place.window.Unix()}, 0)
	})
}
