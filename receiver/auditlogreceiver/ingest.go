// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/kelemetry/kelemetry/internal/redact"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/auditevent"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
)

// errMalformed marks a delivery that is not what the transport promises; nothing of it was taken.
var errMalformed = errors.New("malformed")

// transport says how events came, in metrics.
type transport string

const (
	transportWebhook transport = "webhook"
	transportFile    transport = "file"
)

// ingester turns deliveries of audit events into spans and log records and hands them to the pipelines.
// It is safe for concurrent use.
type ingester struct {
	config    *Config
	transport transport
	filter    *filter
	redactor  *redact.Redactor
	traces    consumer.Traces // nil: not in a traces pipeline
	logs      consumer.Logs   // nil: not in a logs pipeline
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	version   string
}

func newIngester(
	config *Config, by transport, set receiver.Settings, telemetry *metadata.TelemetryBuilder,
	traces consumer.Traces, logs consumer.Logs,
) (*ingester, error) {
	redactor, err := redact.New(config.Redaction)
	if err != nil {
		return nil, fmt.Errorf("redaction: %w", err)
	}
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: string(by), ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &ingester{
		config: config, transport: by, filter: newFilter(config.Filter), redactor: redactor,
		traces: traces, logs: logs, obs: obs, telemetry: telemetry, logger: oncePerBurst(set.Logger),
		version: set.BuildInfo.Version,
	}, nil
}

// oncePerBurst logs the first message of a kind in ten seconds and every thousandth after it.
func oncePerBurst(logger *zap.Logger) *zap.Logger {
	return logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, 10*time.Second, 1, 1000)
	}))
}

// eventList takes the body of a webhook request. It returns nil after the pipelines accepted what is in it,
// errMalformed when it is not an EventList, and the pipeline's error otherwise.
func (in *ingester) eventList(ctx context.Context, cluster string, body []byte) error {
	batch := newBatch(in, cluster)
	defer batch.release()
	if err := batch.decoder.List(body, batch.add); err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	batch.size = len(body)
	return in.deliver(ctx, batch)
}

// lines takes lines of an audit log file. It returns nil after the pipelines accepted what is in them.
func (in *ingester) lines(ctx context.Context, cluster string, lines [][]byte) error {
	batch := newBatch(in, cluster)
	defer batch.release()
	for _, line := range lines {
		batch.size += len(line)
		batch.add(batch.decoder.Line(line))
	}
	return in.deliver(ctx, batch)
}

func (in *ingester) deliver(ctx context.Context, b *batch) error {
	err := in.deliverBoth(ctx, b)
	in.record(ctx, b, err)
	return err
}

// deliverBoth does not go on to the logs after traces that will be tried again, and reports an error that can pass
// rather than a permanent one, so that a batch is given up only when nothing of it can be delivered any more.
func (in *ingester) deliverBoth(ctx context.Context, b *batch) error {
	tracesErr := in.deliverTraces(ctx, b)
	if tracesErr != nil && !consumererror.IsPermanent(tracesErr) {
		return tracesErr
	}
	if err := in.deliverLogs(ctx, b); err != nil {
		return err
	}
	return tracesErr
}

func (in *ingester) deliverTraces(ctx context.Context, b *batch) error {
	if in.traces == nil {
		return nil
	}
	traces := b.spans.Traces()
	count := traces.SpanCount()
	if count == 0 {
		return nil
	}
	ctx = in.obs.StartTracesOp(ctx)
	err := in.traces.ConsumeTraces(ctx, traces)
	in.obs.EndTracesOp(ctx, metadata.Type.String(), count, err)
	return err
}

func (in *ingester) deliverLogs(ctx context.Context, b *batch) error {
	if in.logs == nil {
		return nil
	}
	count := b.logs.LogRecordCount()
	if count == 0 {
		return nil
	}
	ctx = in.obs.StartLogsOp(ctx)
	err := in.logs.ConsumeLogs(ctx, b.logs)
	in.obs.EndLogsOp(ctx, metadata.Type.String(), count, err)
	return err
}

// record counts a batch when its fate is known.
func (in *ingester) record(ctx context.Context, b *batch, err error) {
	ctx = context.WithoutCancel(ctx)
	transport := metric.WithAttributeSet(attribute.NewSet(attribute.String("transport", string(in.transport))))
	t := in.telemetry
	if err != nil {
		t.ReceiverAuditlogEventsRefused.Add(ctx, b.received, transport)
	}
	t.ReceiverAuditlogReceivedSize.Add(ctx, int64(b.size), transport)
	t.ReceiverAuditlogEventsReceived.Add(ctx, b.received, transport)
	t.ReceiverAuditlogEventsDecoded.Add(ctx, b.received-b.invalid, transport)
	t.ReceiverAuditlogEventsInvalid.Add(ctx, b.invalid, transport)
	t.ReceiverAuditlogValuesRedacted.Add(ctx, int64(b.maker.redacted+b.records.redacted), transport)
	t.ReceiverAuditlogBatchSize.Record(ctx, b.received, transport)
	for why, count := range b.filtered {
		t.ReceiverAuditlogEventsFiltered.Add(ctx, count, metric.WithAttributeSet(attribute.NewSet(
			attribute.String("transport", string(in.transport)), attribute.String("reason", string(why)),
		)))
	}
	if !b.oldest.IsZero() {
		t.ReceiverAuditlogDelay.Record(ctx, time.Since(b.oldest).Seconds(), transport)
	}
}

// logInvalid says once per burst what an undecodable item lacks. The reason quotes no values of bodies.
func (in *ingester) logInvalid(cluster string, reason error) {
	in.logger.Warn("Left out an item that is no audit event",
		zap.String("cluster", cluster), zap.Error(reason), zap.String("transport", string(in.transport)))
}

// add takes one event, or the reason why there is none. It is the callback of the decoder.
func (b *batch) add(e *auditevent.Event, err error) {
	b.received++
	if err != nil {
		b.invalid++
		b.in.logInvalid(b.cluster, err)
		return
	}
	if at := e.StageTime; !at.IsZero() && (b.oldest.IsZero() || at.Before(b.oldest)) {
		b.oldest = at
	}
	if b.in.logs != nil {
		b.records.append(e, b.cluster)
	}
	if b.in.traces == nil {
		return
	}
	if why := b.addSpan(e); why != keep {
		b.filtered[why]++
	}
}

func (b *batch) addSpan(e *auditevent.Event) reason {
	// Most events are reads: they are told before anything is made of them.
	if why := b.in.filter.checkRequest(e); why != keep {
		return why
	}
	subject := subjectOf(e, b.cluster)
	if why := b.in.filter.checkObject(e, subject.Object); why != keep {
		return why
	}
	b.maker.append(b.spans, e, &subject)
	return keep
}
