// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver/internal/metadata"
	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver/internal/metadatatest"
)

// TestReceiverReadsOverHTTP: through client-go, in every way in which an API server says that the history is gone.
func TestReceiverReadsOverHTTP(t *testing.T) {
	for name, answer := range map[string]staleAnswer{"410": goneAsStatus, "200 with an error": goneAsEvent, "200 with nothing": closedAtOnce} {
		t.Run(name, func(t *testing.T) {
			api, stored, sink := newFakeAPI(), newMemory(), new(spans)
			api.onStale = answer
			h := newHost(api.serve(t).URL, stored)
			api.put(happened("A", 1))
			stop := start(t, newTestReceiver(t, sink, eager, withStorage), h)
			defer stop()
			sink.await(t, "A 1")
			api.put(happened("A", 3))
			sink.await(t, "A 1", "A 3")
			api.put(happened("A", 9))
			sink.await(t, "A 1", "A 3", "A 9")
			stop()

			api.put(happened("B", 1))
			api.compact()
			stop = start(t, newTestReceiver(t, sink, eager, withStorage), h)
			defer stop()
			sink.await(t, "A 1", "A 3", "A 9", "B 1")
			api.put(happened("B", 2))
			sink.await(t, "A 1", "A 3", "A 9", "B 1", "B 2")
			stop()
		})
	}
}

func TestReceiverFollowsEachOfItsNamespaces(t *testing.T) {
	api, stored, sink := newFakeAPI(), newMemory(), new(spans)
	r := newTestReceiver(t, sink, eager, func(c *Config) {
		withStorage(c)
		c.Namespaces = []string{"default", "kube-system"}
	})
	stop := start(t, r, newHost(api.serve(t).URL, stored))
	defer stop()
	require.Eventually(t, func() bool { return api.watching() == 2 }, patience, time.Millisecond)
	stop()
	for _, key := range []string{"prod/default", "prod/kube-system"} {
		at, err := positions{stored}.load(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, "100", at.ResourceVersion)
	}
}

// TestReplicasSendTheSameIDs: at the same time, and each after a start at its own time.
func TestReplicasSendTheSameIDs(t *testing.T) {
	api, first, second := newFakeAPI(), new(spans), new(spans)
	url := api.serve(t).URL
	api.put(happened("Before", 4))
	stopFirst := start(t, newTestReceiver(t, first, eager, nil), newHost(url, newMemory()))
	defer stopFirst()
	first.await(t, "Before 4")
	stopSecond := start(t, newTestReceiver(t, second, eager, nil), newHost(url, newMemory()))
	defer stopSecond()
	second.await(t, "Before 4")
	want := []string{"Before 4"}
	for i := range int32(20) {
		api.put(happened("A", i+1))
		want = append(want, fmt.Sprintf("A %d", i+1))
	}
	first.await(t, want...)
	second.await(t, want...)
	assert.Equal(t, first.ids(), second.ids())
	unique := map[string]bool{}
	for _, id := range first.ids() {
		unique[id] = true
	}
	assert.Len(t, unique, len(want))
}

func TestStatusFollowsTheAPIServerAndThePipeline(t *testing.T) {
	api, sink := newFakeAPI(), new(spans)
	h := newHost(api.serve(t).URL, newMemory())
	api.fail(errors.New("etcd is away"))
	stop := start(t, newTestReceiver(t, sink, eager, nil), h)
	defer stop()
	const failing, ok = componentstatus.StatusRecoverableError, componentstatus.StatusOK
	await := func(want ...componentstatus.Status) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Equal(c, want, h.statuses()) }, patience, time.Millisecond)
	}
	await(failing)
	api.fail(nil)
	await(failing, ok)
	refuse := true
	sink.mu.Lock()
	sink.answer = func() error {
		if refuse {
			return errors.New("queue is full")
		}
		return nil
	}
	sink.mu.Unlock()
	api.put(happened("A", 1))
	await(failing, ok, failing)
	sink.mu.Lock()
	refuse = false
	sink.mu.Unlock()
	await(failing, ok, failing, ok)
	stop()
}

func TestStartSaysWhatToDeclare(t *testing.T) {
	cluster := &fakeCluster{}
	for want, tt := range map[string]struct {
		change     func(*Config)
		extensions map[component.ID]component.Component
	}{
		`kube_clusters: extension "kube_clusters" is not declared`: {nil, nil},
		`has ["prod"]: unknown cluster`:                            {func(c *Config) { c.Cluster = "test" }, map[component.ID]component.Component{clusterID: cluster}},
		`storage: "file_storage" is no storage extension`:          {withStorage, map[component.ID]component.Component{clusterID: cluster}},
		`k8s_leader_elector: extension "k8s_leader_elector" is not declared`: {
			func(c *Config) { c.LeaderElector = &electorID }, map[component.ID]component.Component{clusterID: cluster},
		},
		`k8s_leader_elector: extension "kube_clusters" elects nobody`: {
			func(c *Config) { c.LeaderElector = &clusterID }, map[component.ID]component.Component{clusterID: cluster},
		},
	} {
		t.Run(want, func(t *testing.T) {
			cluster.config = newHost("http://localhost:1", nil).extensions[clusterID].(*fakeCluster).config
			r := newTestReceiver(t, new(spans), eager, tt.change)
			require.ErrorContains(t, r.Start(t.Context(), &host{extensions: tt.extensions}), want)
			require.NoError(t, r.Shutdown(t.Context()))
		})
	}
}

func TestShutdownIsSafeTwiceAndBeforeStart(t *testing.T) {
	r := newTestReceiver(t, new(spans), eager, withStorage)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Start(t.Context(), newHost(newFakeAPI().serve(t).URL, newMemory())))
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
}

// TestShutdownDoesNotWaitForEver for a pipeline that hangs, and lets one that is merely slow finish.
func TestShutdownDoesNotWaitForEver(t *testing.T) {
	api, stored := newFakeAPI(), newMemory()
	url := api.serve(t).URL
	entered := make(chan struct{})
	hanging, err := consumer.NewTraces(func(ctx context.Context, _ ptrace.Traces) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	})
	require.NoError(t, err)
	r := newTestReceiver(t, hanging, eager, withStorage)
	require.NoError(t, r.Start(t.Context(), newHost(url, stored)))
	api.put(happened("A", 1))
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, r.Shutdown(ctx), context.DeadlineExceeded)
	require.NoError(t, r.Shutdown(t.Context()), "the call was given up")

	sink, slow := new(spans), make(chan struct{})
	entered = make(chan struct{})
	sink.answer = func() error { close(entered); <-slow; return nil }
	r = newTestReceiver(t, sink, eager, withStorage)
	require.NoError(t, r.Start(t.Context(), newHost(url, stored)))
	<-entered
	var stopped sync.WaitGroup
	stopped.Go(func() { assert.NoError(t, r.Shutdown(t.Context())) })
	require.Eventually(t, func() bool { return api.watching() == 0 }, patience, time.Millisecond) // nothing is read any more
	close(slow)
	stopped.Wait()
	sink.await(t, "A 1")
	at, err := positions{stored}.load(t.Context(), "prod/")
	require.NoError(t, err)
	assert.Equal(t, "101", at.ResourceVersion, "what was accepted is stored")
}

func TestMetricsAccountForEverything(t *testing.T) {
	api, sink := newFakeAPI(), new(spans)
	telemetry := componenttest.NewTelemetry()
	config := createDefaultConfig().(*Config)
	config.Filter.Exclude = []RuleConfig{{Reasons: []string{"Boring"}}}
	set := metadatatest.NewSettings(telemetry)
	r := newReceiver(set, config, sink, eager)
	stop := start(t, r, newHost(api.serve(t).URL, newMemory()))
	defer stop()
	require.Eventually(t, func() bool { return api.watching() == 1 }, patience, time.Millisecond)
	api.put(happened("BackOff", 3))
	api.put(happened("BackOff", 9))
	api.put(happened("Boring", 1))
	api.remove(happened("Boring", 1))
	nobody := happened("Nobody", 1)
	nobody.Regarding.Name = ""
	api.put(nobody)
	api.put(happened("Last", 1))
	sink.await(t, "BackOff 3", "BackOff 9", "Last 1")
	stop()

	timeless := metricdatatest.IgnoreTimestamp()
	point := func(value int64, labels ...attribute.KeyValue) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: value, Attributes: attribute.NewSet(labels...)}
	}
	metadatatest.AssertEqualReceiverK8seventEventsReceived(t, telemetry, []metricdata.DataPoint[int64]{
		point(6, attribute.String("operation", "watch")), point(0, attribute.String("operation", "list")),
	}, timeless)
	metadatatest.AssertEqualReceiverK8seventEventsFiltered(t, telemetry, []metricdata.DataPoint[int64]{
		point(1, attribute.String("reason", "excluded")), point(1, attribute.String("reason", "deleted")),
		point(1, attribute.String("reason", "no_object")),
	}, timeless)
	metadatatest.AssertEqualReceiverK8seventOccurrencesSkipped(t, telemetry, []metricdata.DataPoint[int64]{point(5)}, timeless)
	metadatatest.AssertEqualReceiverK8seventLeading(t, telemetry, []metricdata.DataPoint[int64]{point(0)}, timeless)
	metadatatest.AssertEqualReceiverK8seventRequests(t, telemetry, []metricdata.DataPoint[int64]{
		point(1, attribute.String("operation", "list"), attribute.String("outcome", "ok")),
	}, timeless)
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

// TestConsumeContract has the Collector's own checker see that nothing is lost, whatever the pipeline answers.
func TestConsumeContract(t *testing.T) {
	api := newFakeAPI()
	h := newHost(api.serve(t).URL, newMemory())
	config := createDefaultConfig().(*Config)
	config.Retry.InitialInterval = time.Millisecond
	withStorage(config) // the Events of one scenario are not those of the next
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Signal: pipeline.SignalTraces, Config: config, GenerateCount: 200,
		Generator: &generator{api: api},
		Factory: receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithTraces(
			func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
				return &onHost{newReceiver(set, cfg.(*Config), &identified{next}, eager), h}, nil
			}, component.StabilityLevelAlpha)),
	})
}

// onHost starts a receiver on a host of its own.
type onHost struct {
	*k8sEventReceiver
	host component.Host
}

func (r *onHost) Start(ctx context.Context, _ component.Host) error {
	return r.k8sEventReceiver.Start(ctx, r.host)
}

// identified gives spans the attribute that the checker knows them by.
type identified struct{ consumer.Traces }

func (i *identified) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				uid, _ := span.Attributes().Get(attr.EventUID)
				span.Attributes().PutStr(receivertest.UniqueIDAttrName, uid.Str())
			}
		}
	}
	return i.Traces.ConsumeTraces(ctx, traces)
}

// generator makes Events.
type generator struct {
	api  *fakeAPI
	mu   sync.Mutex
	made int
}

func (*generator) Start() {}

func (g *generator) Stop() {}

func (g *generator) Generate() []receivertest.UniqueIDAttrVal {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.made++
	e := happened(fmt.Sprintf("E%d", g.made), 1)
	g.api.put(e)
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(e.UID)}
}
