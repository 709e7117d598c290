// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogencodingextension // import "github.com/kelemetry/kelemetry/extension/auditlogencodingextension"

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/kelemetry/kelemetry/extension/auditlogencodingextension/internal/metadata"
	"github.com/kelemetry/kelemetry/internal/auditlog"
)

// encodingExtension decodes records. It is safe for concurrent use and needs neither Start nor Shutdown.
type encodingExtension struct {
	component.StartFunc

	cluster   string
	converter *auditlog.Converter
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
}

// Receivers find the extension by its ID and use it as one of these.
var (
	_ extension.Extension = (*encodingExtension)(nil)
	_ ptrace.Unmarshaler  = (*encodingExtension)(nil)
	_ plog.Unmarshaler    = (*encodingExtension)(nil)
)

func newExtension(config *Config, set extension.Settings) (*encodingExtension, error) {
	converter, err := auditlog.New(config.conversion(), auditlog.Scope{Name: metadata.ScopeName, Version: set.BuildInfo.Version})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &encodingExtension{cluster: config.Cluster, converter: converter, telemetry: telemetry, logger: oncePerBurst(set.Logger)}, nil
}

// oncePerBurst logs the first message of a kind in ten seconds and every thousandth after it.
func oncePerBurst(logger *zap.Logger) *zap.Logger {
	return logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, 10*time.Second, 1, 1000)
	}))
}

// Shutdown implements component.Component.
func (e *encodingExtension) Shutdown(context.Context) error {
	e.telemetry.Shutdown()
	return nil
}

// UnmarshalTraces makes spans of the events of a record, which may be none after the filter. An error means that there is no audit
// event in the record.
func (e *encodingExtension) UnmarshalTraces(record []byte) (ptrace.Traces, error) {
	batch, err := e.decode(record, auditlog.Signals{Traces: true})
	if err != nil {
		return ptrace.Traces{}, err
	}
	defer batch.Release()
	return batch.Traces(), nil
}

// UnmarshalLogs makes log records of the events of a record. An error means that there is no audit event in the record.
func (e *encodingExtension) UnmarshalLogs(record []byte) (plog.Logs, error) {
	batch, err := e.decode(record, auditlog.Signals{Logs: true})
	if err != nil {
		return plog.Logs{}, err
	}
	defer batch.Release()
	return batch.Logs(), nil
}

// decode returns a batch that has to be released, or an error.
func (e *encodingExtension) decode(record []byte, signals auditlog.Signals) (*auditlog.Batch, error) {
	var invalid error // the first says enough, and a record may have thousands
	signals.OnInvalid = func(reason error) { invalid = cmp.Or(invalid, reason) }
	batch := e.converter.NewBatch(e.cluster, signals)
	err := addRecord(batch, record)
	if err == nil && batch.Received > 0 && batch.Invalid == batch.Received {
		err = invalid
	}
	if err != nil {
		batch.Release()
		e.telemetry.ExtensionAuditlogEncodingRecordsInvalid.Add(context.Background(), 1)
		return nil, fmt.Errorf("no Kubernetes audit event in a record for cluster %s: %w", e.cluster, err)
	}
	if invalid != nil {
		e.logger.Warn("Left out an item that is no audit event", zap.String("cluster", e.cluster), zap.Error(invalid))
	}
	e.count(batch)
	return batch, nil
}

func (e *encodingExtension) count(b *auditlog.Batch) {
	ctx, t := context.Background(), e.telemetry
	t.ExtensionAuditlogEncodingEventsReceived.Add(ctx, b.Received)
	t.ExtensionAuditlogEncodingEventsInvalid.Add(ctx, b.Invalid)
	t.ExtensionAuditlogEncodingValuesRedacted.Add(ctx, b.Redacted())
	for why, count := range b.Filtered {
		t.ExtensionAuditlogEncodingEventsFiltered.Add(ctx, count,
			metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", string(why)))))
	}
}
