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

	"github.com/kelemetry/kelemetry/internal/auditlog"
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
	converter *auditlog.Converter
	transport transport
	traces    consumer.Traces // nil: not in a traces pipeline
	logs      consumer.Logs   // nil: not in a logs pipeline
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
}

func newIngester(
	config *Config, by transport, set receiver.Settings, telemetry *metadata.TelemetryBuilder,
	traces consumer.Traces, logs consumer.Logs,
) (*ingester, error) {
	converter, err := auditlog.New(config.conversion(), auditlog.Scope{Name: metadata.ScopeName, Version: set.BuildInfo.Version})
	if err != nil {
		return nil, err
	}
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: string(by), ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &ingester{
		converter: converter, transport: by,
		traces: traces, logs: logs, obs: obs, telemetry: telemetry, logger: oncePerBurst(set.Logger),
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
	batch := in.newBatch(cluster)
	defer batch.Release()
	if err := batch.AddList(body); err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	return in.deliver(ctx, batch, len(body))
}

// lines takes lines of an audit log file. It returns nil after the pipelines accepted what is in them.
func (in *ingester) lines(ctx context.Context, cluster string, lines [][]byte) error {
	batch := in.newBatch(cluster)
	defer batch.Release()
	size := 0
	for _, line := range lines {
		size += len(line)
		batch.AddEvent(line)
	}
	return in.deliver(ctx, batch, size)
}

func (in *ingester) newBatch(cluster string) *auditlog.Batch {
	return in.converter.NewBatch(cluster, auditlog.Signals{
		Traces: in.traces != nil, Logs: in.logs != nil, OnInvalid: func(reason error) { in.logInvalid(cluster, reason) },
	})
}

func (in *ingester) deliver(ctx context.Context, b *auditlog.Batch, size int) error {
	err := in.deliverBoth(ctx, b)
	in.record(ctx, b, size, err)
	return err
}

// deliverBoth does not go on to the logs after traces that will be tried again, and reports an error that can pass
// rather than a permanent one, so that a batch is given up only when nothing of it can be delivered any more.
func (in *ingester) deliverBoth(ctx context.Context, b *auditlog.Batch) error {
	tracesErr := in.deliverTraces(ctx, b)
	if tracesErr != nil && !consumererror.IsPermanent(tracesErr) {
		return tracesErr
	}
	if err := in.deliverLogs(ctx, b); err != nil {
		return err
	}
	return tracesErr
}

func (in *ingester) deliverTraces(ctx context.Context, b *auditlog.Batch) error {
	if in.traces == nil {
		return nil
	}
	traces := b.Traces()
	count := traces.SpanCount()
	if count == 0 {
		return nil
	}
	ctx = in.obs.StartTracesOp(ctx)
	err := in.traces.ConsumeTraces(ctx, traces)
	in.obs.EndTracesOp(ctx, metadata.Type.String(), count, err)
	return err
}

func (in *ingester) deliverLogs(ctx context.Context, b *auditlog.Batch) error {
	if in.logs == nil {
		return nil
	}
	logs := b.Logs()
	count := logs.LogRecordCount()
	if count == 0 {
		return nil
	}
	ctx = in.obs.StartLogsOp(ctx)
	err := in.logs.ConsumeLogs(ctx, logs)
	in.obs.EndLogsOp(ctx, metadata.Type.String(), count, err)
	return err
}

// record counts a batch when its fate is known.
func (in *ingester) record(ctx context.Context, b *auditlog.Batch, size int, err error) {
	ctx = context.WithoutCancel(ctx)
	transport := metric.WithAttributeSet(attribute.NewSet(attribute.String("transport", string(in.transport))))
	t := in.telemetry
	if err != nil {
		t.ReceiverAuditlogEventsRefused.Add(ctx, b.Received, transport)
	}
	t.ReceiverAuditlogReceivedSize.Add(ctx, int64(size), transport)
	t.ReceiverAuditlogEventsReceived.Add(ctx, b.Received, transport)
	t.ReceiverAuditlogEventsDecoded.Add(ctx, b.Received-b.Invalid, transport)
	t.ReceiverAuditlogEventsInvalid.Add(ctx, b.Invalid, transport)
	t.ReceiverAuditlogValuesRedacted.Add(ctx, b.Redacted(), transport)
	t.ReceiverAuditlogBatchSize.Record(ctx, b.Received, transport)
	for why, count := range b.Filtered {
		t.ReceiverAuditlogEventsFiltered.Add(ctx, count, metric.WithAttributeSet(attribute.NewSet(
			attribute.String("transport", string(in.transport)), attribute.String("reason", string(why)),
		)))
	}
	if !b.Oldest.IsZero() {
		t.ReceiverAuditlogDelay.Record(ctx, time.Since(b.Oldest).Seconds(), transport)
	}
}

// logInvalid says once per burst what an undecodable item lacks. The reason quotes no values of bodies.
func (in *ingester) logInvalid(cluster string, reason error) {
	in.logger.Warn("Left out an item that is no audit event",
		zap.String("cluster", cluster), zap.Error(reason), zap.String("transport", string(in.transport)))
}
