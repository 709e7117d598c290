// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/internal/retry"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadata"
)

const (
	// maxWaiting bounds the number of changes in the queue, whose bytes are bounded by the configuration.
	maxWaiting = 4096
	// maxBatch is how many changes become one batch at most. A batch takes what is waiting, and does not wait for more.
	maxBatch = 512
)

// emitter hands changes to the pipeline, in the order in which they were observed. While the pipeline refuses it tries
// again, and those who bring changes wait: the watches are not read meanwhile.
type emitter struct {
	maker     *spanMaker
	window    identity.Window
	version   string
	next      consumer.Traces
	retry     configretry.BackOffConfig
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger

	queue chan *change
	bytes *semaphore.Weighted
	limit int64
}

func (e *emitter) open(limit int64) {
	e.limit = limit
	e.bytes = semaphore.NewWeighted(limit)
	e.queue = make(chan *change, maxWaiting)
}

// emit takes a change into the queue. It waits for room until ctx ends, which loses the change, and is counted.
func (e *emitter) emit(ctx context.Context, c *change) error {
	size := e.share(c)
	err := e.bytes.Acquire(ctx, size)
	if err == nil {
		select {
		case e.queue <- c:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
			e.bytes.Release(size)
		}
	}
	e.dropped(1, "shutdown")
	return err
}

// share is what a change takes of the queue's bytes. One that is larger than the queue has it for itself.
func (e *emitter) share(c *change) int64 { return min(c.size(), e.limit) }

// run hands on what comes until the queue is closed, or ctx ends.
func (e *emitter) run(ctx context.Context) {
	for c := range e.queue {
		e.deliver(ctx, e.batch(c))
	}
}

// batch takes a change and those that wait behind it.
func (e *emitter) batch(first *change) []*change {
	changes := []*change{first}
	for len(changes) < maxBatch {
		select {
		case c, ok := <-e.queue:
			if !ok {
				return changes
			}
			changes = append(changes, c)
		default:
			return changes
		}
	}
	return changes
}

func (e *emitter) deliver(ctx context.Context, changes []*change) {
	var size int64
	for _, c := range changes {
		size += e.share(c)
		e.telemetry.ReceiverWatchChanges.Add(ctx, 1, metric.WithAttributes(attribute.String("change", string(c.changeType))))
	}
	defer e.bytes.Release(size)
	err := retry.Do(ctx, e.retry, func() error { return e.consume(ctx, changes) }, func(err error, _ time.Duration) {
		e.logger.Warn("The pipeline refused changes. They are tried again.", zap.Int("changes", len(changes)), zap.Error(err))
	})
	switch {
	case err == nil:
	case errors.Is(err, retry.ErrStopped):
		e.dropped(len(changes), "shutdown")
	default:
		e.dropped(len(changes), "refused")
		e.logger.Error("The pipeline refused changes for good. They are lost.", zap.Int("changes", len(changes)), zap.Error(err))
	}
}

// consume makes the spans anew for each try, because the pipeline may have changed those of the try before.
func (e *emitter) consume(ctx context.Context, changes []*change) error {
	batch := objectspan.NewBatch(e.window, metadata.ScopeName, e.version)
	for _, c := range changes {
		e.maker.append(batch, c)
	}
	ctx = e.obs.StartTracesOp(ctx)
	err := e.next.ConsumeTraces(ctx, batch.Traces())
	e.obs.EndTracesOp(ctx, metadata.Type.String(), len(changes), err)
	return err
}

func (e *emitter) dropped(n int, reason string) {
	e.telemetry.ReceiverWatchChangesDropped.Add(context.Background(), int64(n), metric.WithAttributes(attribute.String("reason", reason)))
}
