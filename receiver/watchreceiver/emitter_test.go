// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadata"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadatatest"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
)

// pipeline answers each batch with the next of its errors, then with nil.
type pipeline struct {
	mu      sync.Mutex // guards all below
	errs    []error
	names   []string
	batches int
	called  chan struct{}
}

func newPipeline(errs ...error) *pipeline {
	return &pipeline{errs: errs, called: make(chan struct{}, 100)}
}

func (*pipeline) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipeline) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.called <- struct{}{} }()
	if len(p.errs) > 0 {
		err := p.errs[0]
		p.errs = p.errs[1:]
		if err != nil {
			return err
		}
	}
	p.batches++
	for _, rs := range traces.ResourceSpans().All() {
		name, _ := rs.Resource().Attributes().Get("k8s.object.name")
		p.names = append(p.names, name.Str())
	}
	return nil
}

func newEmitter(t *testing.T, next consumer.Traces, limit int64) (*emitter, *componenttest.Telemetry) {
	t.Helper()
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	require.NoError(t, err)
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "watch", ReceiverCreateSettings: set})
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	redactor, _, err := newRedactor(config.Redaction)
	require.NoError(t, err)
	e := &emitter{
		maker: &spanMaker{cluster: "prod", diff: config.Diff, snapshots: config.Snapshots, redactor: redactor}, window: identity.DefaultWindow, next: next,
		retry: configretry.BackOffConfig{Enabled: true, InitialInterval: time.Millisecond, MaxInterval: time.Millisecond, Multiplier: 1},
		obs:   obs, telemetry: builder, logger: set.Logger,
	}
	e.open(limit)
	return e, telemetry
}

func changeOf(name string) *change {
	return &change{changeType: created, target: deployments, header: object.Header{Name: name, UID: name, ResourceVersion: "1"}, observed: epoch, text: make([]byte, 1000)}
}

func TestWhatIsRefusedForNowIsTriedAgain(t *testing.T) {
	next := newPipeline(errors.New("busy"), errors.New("busy"))
	e, telemetry := newEmitter(t, next, 1<<20)
	for _, name := range []string{"a", "b", "c"} {
		require.NoError(t, e.emit(t.Context(), changeOf(name)))
	}
	close(e.queue)
	e.run(t.Context())
	assert.Equal(t, []string{"a", "b", "c"}, next.names, "in order, once")
	assert.Equal(t, 1, next.batches)
	metadatatest.AssertEqualReceiverWatchChanges(t, telemetry, []metricdata.DataPoint[int64]{{
		Value: 3, Attributes: attribute.NewSet(attribute.String("change", "created")),
	}}, metricdatatest.IgnoreTimestamp())
}

func TestWhatIsRefusedForGoodIsCounted(t *testing.T) {
	next := newPipeline(consumererror.NewPermanent(errors.New("never")))
	e, telemetry := newEmitter(t, next, 1<<20)
	require.NoError(t, e.emit(t.Context(), changeOf("a")))
	close(e.queue)
	e.run(t.Context())
	assert.Empty(t, next.names)
	assertDropped(t, telemetry, "refused", 1)
}

func TestAFullQueueMakesTheWatchesWait(t *testing.T) {
	next := newPipeline()
	e, telemetry := newEmitter(t, next, 5000) // two changes
	require.NoError(t, e.emit(t.Context(), changeOf("a")))
	require.NoError(t, e.emit(t.Context(), changeOf("b")))
	waiting := make(chan error)
	go func() { waiting <- e.emit(t.Context(), changeOf("c")) }()
	select {
	case err := <-waiting:
		require.NoError(t, err)
		t.Fatal("there was room")
	default:
	}
	var running sync.WaitGroup
	running.Go(func() { e.run(t.Context()) })
	require.NoError(t, <-waiting)

	t.Run("also what is larger than the queue", func(t *testing.T) {
		large := changeOf("large")
		large.text = make([]byte, 100_000)
		require.NoError(t, e.emit(t.Context(), large))
	})
	close(e.queue)
	running.Wait()
	assert.Equal(t, []string{"a", "b", "c", "large"}, next.names)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	e.open(10)
	require.Error(t, e.emit(ended, changeOf("late")))
	assertDropped(t, telemetry, "shutdown", 1)
}

func TestAnEndDuringARefusalIsCounted(t *testing.T) {
	next := newPipeline(errors.New("busy"))
	e, telemetry := newEmitter(t, next, 1<<20)
	e.retry.InitialInterval, e.retry.MaxInterval = time.Hour, time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	require.NoError(t, e.emit(ctx, changeOf("a")))
	running.Go(func() { e.run(ctx) })
	<-next.called
	cancel()
	close(e.queue)
	running.Wait()
	assertDropped(t, telemetry, "shutdown", 1)
}

func assertDropped(t *testing.T, telemetry *componenttest.Telemetry, reason string, n int64) {
	t.Helper()
	metadatatest.AssertEqualReceiverWatchChangesDropped(t, telemetry, []metricdata.DataPoint[int64]{{
		Value: n, Attributes: attribute.NewSet(attribute.String("reason", reason)),
	}}, metricdatatest.IgnoreTimestamp())
}
