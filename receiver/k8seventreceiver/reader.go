// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"errors"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/internal/retry"
	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver/internal/metadata"
)

// operation is how Events were read, in metrics.
type operation string

const (
	operationList  operation = "list"
	operationWatch operation = "watch"
)

// reader turns what followers read into spans and hands them to the pipeline. It is safe for concurrent use.
type reader struct {
	maker     spanMaker
	filter    *filter
	next      consumer.Traces
	retry     configretry.BackOffConfig
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	version   string

	// tracked has the last count of Events that were delivered.
	tracked *lru.Cache[types.UID, uint64]
	// consuming is the context of calls to the pipeline, which outlive the reading for a moment.
	consuming context.Context
}

// item is an Event as it was read.
type item struct {
	*eventsv1.Event
	deleted bool
}

// chosen is an occurrence that becomes a span, with its object.
type chosen struct {
	occurrence
	on objectspan.Resource
}

// take delivers what is new among items. It returns nil when the pipeline accepted all of it or never will, and
// retry.ErrStopped otherwise.
func (r *reader) take(ctx context.Context, items []item, by operation, old func(*occurrence) reason, refused func(error)) error {
	batch, filtered := r.choose(items, old)
	if len(batch) > 0 {
		if err := r.deliver(ctx, batch, refused); err != nil {
			return err
		}
	}
	r.record(batch, len(items), by, filtered)
	return nil
}

// choose keeps the occurrences that become spans. It does not change what is tracked: that is for accepted ones.
func (r *reader) choose(items []item, old func(*occurrence) reason) ([]chosen, map[reason]int64) {
	batch, filtered := make([]chosen, 0, len(items)), make(map[reason]int64)
	counts := make(map[types.UID]uint64)
	for _, it := range items {
		c, why := r.chooseOne(it, old, counts)
		if why != keep {
			filtered[why]++
			continue
		}
		counts[it.UID] = c.count
		batch = append(batch, c)
	}
	return batch, filtered
}

func (r *reader) chooseOne(it item, old func(*occurrence) reason, counts map[types.UID]uint64) (chosen, reason) {
	if it.deleted {
		return chosen{}, reasonDeleted
	}
	c := chosen{occurrence: occurrenceOf(it.Event)}
	if why := old(&c.occurrence); why != keep {
		return chosen{}, why
	}
	before, ok := counts[it.UID]
	if !ok {
		before, ok = r.tracked.Peek(it.UID)
	}
	if ok && c.count <= before {
		return chosen{}, reasonKnown
	}
	if ok {
		c.increase = c.count - before
	}
	if c.on, ok = r.maker.objects.of(&it.Regarding, it.Namespace); !ok {
		return chosen{}, reasonNoObject
	}
	return c, r.filter.check(&c.occurrence, c.on)
}

// deliver hands a batch to the pipeline, again and again while that refuses it for the time being. After retry.ErrStopped the
// position must not move; otherwise the batch is delivered, or lost for good.
func (r *reader) deliver(ctx context.Context, batch []chosen, refused func(error)) error {
	count := int64(len(batch))
	err := retry.Do(ctx, r.retry, func() error { return r.consume(batch) }, func(err error, pause time.Duration) {
		refused(err)
		r.telemetry.ReceiverK8seventEventsRetried.Add(context.Background(), count)
		r.logger.Warn("The pipeline refused Events; trying again", zap.Duration("after", pause), zap.Error(err))
	})
	switch {
	case err == nil:
		refused(nil)
	case errors.Is(err, retry.ErrStopped):
		return err
	default:
		r.telemetry.ReceiverK8seventEventsLost.Add(context.Background(), count)
		r.logger.Error("The pipeline refused Events for good; they are lost", zap.Int64("events", count), zap.Error(err))
	}
	return nil
}

// consume makes the spans anew for each try, because the pipeline may have changed those of the try before.
func (r *reader) consume(batch []chosen) error {
	spans := objectspan.NewBatch(r.maker.window, metadata.ScopeName, r.version)
	for i := range batch {
		r.maker.append(spans, &batch[i].occurrence, batch[i].on)
	}
	traces := spans.Traces()
	ctx := r.obs.StartTracesOp(r.consuming)
	err := r.next.ConsumeTraces(ctx, traces)
	r.obs.EndTracesOp(ctx, metadata.Type.String(), len(batch), err)
	return err
}

// record counts and remembers what was accepted.
func (r *reader) record(batch []chosen, received int, by operation, filtered map[reason]int64) {
	ctx, t := context.Background(), r.telemetry
	t.ReceiverK8seventEventsReceived.Add(ctx, int64(received), label("operation", string(by)))
	for why, count := range filtered {
		t.ReceiverK8seventEventsFiltered.Add(ctx, count, label("reason", string(why)))
	}
	var oldest time.Time
	var skipped uint64
	for i := range batch {
		c := &batch[i]
		r.tracked.Add(c.event.UID, c.count)
		if c.increase > 1 {
			skipped += c.increase - 1
		}
		if oldest.IsZero() || c.end.Before(oldest) {
			oldest = c.end
		}
	}
	if skipped > 0 {
		t.ReceiverK8seventOccurrencesSkipped.Add(ctx, int64(skipped))
	}
	if by == operationWatch && !oldest.IsZero() {
		t.ReceiverK8seventDelay.Record(ctx, time.Since(oldest).Seconds())
	}
}

func label(key, value string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
}
