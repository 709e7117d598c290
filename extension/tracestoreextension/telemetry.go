// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension // import "github.com/kelemetry/kelemetry/extension/tracestoreextension"

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/metadata"
	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"
)

// telemetry is the extension's metrics and status.
type telemetry struct {
	builder *metadata.TelemetryBuilder
	host    component.Host
}

var _ spanstore.Observer = (*telemetry)(nil)

func newTelemetry(set component.TelemetrySettings, host component.Host) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, fmt.Errorf("make the metrics: %w", err)
	}
	return &telemetry{builder: builder, host: host}, nil
}

func with(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

func (t *telemetry) exported(ctx context.Context, written spanstore.Written, err error) {
	outcome := "stored"
	switch {
	case errors.Is(err, spanstore.ErrFull):
		outcome = "full"
	case err != nil:
		outcome = "failed"
	}
	t.builder.ExtensionTraceStoreExports.Add(ctx, 1, with(attribute.String("outcome", outcome)))
	t.builder.ExtensionTraceStoreSpans.Add(ctx, int64(written.Stored), with(attribute.String("result", "stored")))
	t.builder.ExtensionTraceStoreSpans.Add(ctx, int64(written.Invalid), with(attribute.String("result", "invalid")))
}

func (t *telemetry) read(ctx context.Context, operation string, took time.Duration, err error) {
	outcome := "answered"
	if err != nil {
		outcome = "failed"
	}
	t.builder.ExtensionTraceStoreReadDuration.Record(ctx, took.Seconds(),
		with(attribute.String("operation", operation), attribute.String("outcome", outcome)))
}

// SliceDropped implements spanstore.Observer.
func (t *telemetry) SliceDropped(why spanstore.Reason) {
	t.builder.ExtensionTraceStoreHoursDropped.Add(context.Background(), 1, with(attribute.String("reason", why.String())))
}

// SearchCut implements spanstore.Observer.
func (t *telemetry) SearchCut() {
	t.builder.ExtensionTraceStoreSearchesCut.Add(context.Background(), 1)
}

// Health implements spanstore.Observer.
func (t *telemetry) Health(err error) {
	if err != nil {
		componentstatus.ReportStatus(t.host, componentstatus.NewRecoverableErrorEvent(err))
		return
	}
	componentstatus.ReportStatus(t.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// observe registers what is read off the store when somebody collects metrics.
func (t *telemetry) observe(store *spanstore.Store) error {
	return errors.Join(
		t.builder.RegisterExtensionTraceStoreSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(store.Stats().Size)
			return nil
		}),
		t.builder.RegisterExtensionTraceStoreHoursCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(store.Stats().Slices))
			return nil
		}),
	)
}
