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

// settleAfter is how long the count of a span that stands for many may wait for more to come before it is told. settleEvery is how
// often somebody looks.
const settleAfter, settleEvery = 5 * time.Second, time.Second

// alone is a span on an object by itself.
func (b *batch) alone(span ptrace.Span, at *place) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	at.chain[0].CopyTo(rs.Resource().Attributes())
	span.CopyTo(rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	return td
}

// settle tells the counts that have been waiting for that long, so that they are right in the end, and with them how much of the
// objects was folded.
func (p *linkProcessor) settle(ctx context.Context, age time.Duration) error {
	unsent := p.engine.folds.Unsent(age)
	if len(unsent) == 0 {
		return nil
	}
	td := ptrace.NewTraces()
	for _, u := range unsent {
		u.Span.ResourceSpans().At(0).CopyTo(td.ResourceSpans().AppendEmpty())
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
	p.engine.folds.Told(unsent)
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
