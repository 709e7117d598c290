// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver/internal/metadata"
)

const patience = 20 * time.Second

// eager is the timing of tests on the real clock.
var eager = timing{
	firstPause: time.Millisecond, longestPause: 20 * time.Millisecond, healthyAfter: 50 * time.Millisecond,
	watchTimeout: time.Minute, batchWait: time.Millisecond, lookUp: time.Second,
}

// fakeCluster is a cluster "prod" that knows one custom kind, and is its own extension.
type fakeCluster struct {
	component.StartFunc
	component.ShutdownFunc
	config *rest.Config
	uid    types.UID
}

func (c *fakeCluster) Cluster(name string) (kubecluster.Cluster, error) {
	if name != "" && name != "prod" {
		return nil, kubecluster.ErrUnknownCluster
	}
	return c, nil
}

func (c *fakeCluster) Names() []string { return []string{"prod"} }

func (c *fakeCluster) Name() string { return "prod" }

func (c *fakeCluster) UID(context.Context) (types.UID, error) {
	if c.uid == "" {
		return "", kubecluster.ErrUnavailable
	}
	return c.uid, nil
}

func (c *fakeCluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

func (c *fakeCluster) Discovery() discovery.CachedDiscoveryInterface { return nil }

func (c *fakeCluster) Mapper() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(nil)
	group := schema.GroupVersion{Group: "example.com", Version: "v1"}
	mapper.AddSpecific(group.WithKind("Cactus"), group.WithResource("cacti"), group.WithResource("cactus"), meta.RESTScopeNamespace)
	mapper.AddSpecific(group.WithKind("Planet"), group.WithResource("planets"), group.WithResource("planet"), meta.RESTScopeRoot)
	return mapper
}

func (c *fakeCluster) Metadata(
	context.Context, schema.GroupResource, string, string,
) (*metav1.PartialObjectMetadata, error) {
	return nil, kubecluster.ErrUnavailable
}

func (c *fakeCluster) Known(schema.GroupResource, string, string) (*metav1.PartialObjectMetadata, bool) {
	return nil, false
}

func (c *fakeCluster) Object(context.Context, schema.GroupResource, string, string) ([]byte, error) {
	return nil, kubecluster.ErrUnavailable
}

func (c *fakeCluster) Offer(kubecluster.Source) func() { return func() {} }

// memory is a storage extension that survives receivers, as its one client.
type memory struct {
	component.StartFunc
	component.ShutdownFunc
	mu     sync.Mutex
	values map[string][]byte
	err    error
}

func newMemory() *memory { return &memory{values: make(map[string][]byte)} }

func (m *memory) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return m, nil
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], m.err
}

func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if m.err == nil {
		m.values[key] = value
	}
	return m.err
}

func (m *memory) Delete(context.Context, string) error { return nil }

func (m *memory) Batch(context.Context, ...*storage.Operation) error { return nil }

func (m *memory) Close(context.Context) error { return nil }

// host has the extensions by the names that configurations call them by default, and keeps what is reported.
type host struct {
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	reports    []*componentstatus.Event
}

var (
	clusterID = component.MustNewID("kube_clusters")
	storageID = component.MustNewID("file_storage")
	electorID = component.MustNewID("k8s_leader_elector")
)

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports = append(h.reports, e)
}

func (h *host) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	statuses := make([]componentstatus.Status, 0, len(h.reports))
	for _, e := range h.reports {
		statuses = append(statuses, e.Status())
	}
	return slices.Compact(statuses)
}

// spans keeps what it accepts: by default everything.
type spans struct {
	mu     sync.Mutex
	all    []ptrace.Span
	answer func() error
}

func (*spans) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *spans) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		if err := s.answer(); err != nil {
			return err
		}
	}
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s.all = append(s.all, span)
			}
		}
	}
	return nil
}

// told lists what was accepted, as "reason count", in order.
func (s *spans) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := make([]string, 0, len(s.all))
	for _, span := range s.all {
		count, _ := span.Attributes().Get(attr.EventCount)
		told = append(told, fmt.Sprintf("%s %d", span.Name(), count.Int()))
	}
	return told
}

// ids lists trace and span IDs.
func (s *spans) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, 0, len(s.all))
	for _, span := range s.all {
		ids = append(ids, span.TraceID().String()+span.SpanID().String())
	}
	return ids
}

func (s *spans) await(t *testing.T, want ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Equal(c, want, s.told()) }, patience, time.Millisecond)
}

// happened makes an Event about the Pod "web" that was observed count times, the last time now.
func happened(name string, count int32) *eventsv1.Event {
	now := time.Now()
	e := &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID("uid-of-" + name), CreationTimestamp: metav1.NewTime(now)},
		EventTime:           metav1.NewMicroTime(now),
		ReportingController: "kubelet", ReportingInstance: "node-0",
		Reason: name, Type: "Normal", Note: "something happened",
		Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "default", Name: "web", UID: "uid-of-web"},
	}
	if count > 1 {
		e.Series = &eventsv1.EventSeries{Count: count, LastObservedTime: metav1.NewMicroTime(now)}
	}
	return e
}

// newTestReceiver makes a receiver that reads from a server, whose name is in its storage's keys.
func newTestReceiver(t *testing.T, next consumer.Traces, timing timing, change func(*Config)) *k8sEventReceiver {
	t.Helper()
	config := createDefaultConfig().(*Config)
	config.Retry.InitialInterval = time.Millisecond
	config.Retry.MaxInterval = 5 * time.Millisecond
	if change != nil {
		change(config)
	}
	require.NoError(t, config.Validate())
	return newReceiver(receivertest.NewNopSettings(metadata.Type), config, next, timing)
}

// newTestFollower makes a follower without a receiver and a connection.
func newTestFollower(t *testing.T, api eventsAPI, stored *memory, next consumer.Traces, change func(*Config)) *follower {
	t.Helper()
	r := newTestReceiver(t, next, defaultTiming, change)
	var err error
	r.telemetry, err = metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	cluster := &fakeCluster{uid: "uid-of-prod"}
	reader, err := r.newReader(t.Context(), cluster)
	require.NoError(t, err)
	return &follower{
		reader: reader, api: api, clusterID: cluster.UID, positions: positions{stored}, key: positionKey("prod", ""),
		health: newHealth(&host{}), timing: r.timing, maxAge: r.config.MaxAge, batchSize: r.config.BatchSize,
	}
}

// start starts a receiver on a server and returns how to stop it.
func start(t *testing.T, r *k8sEventReceiver, h *host) (stop func()) {
	t.Helper()
	require.NoError(t, r.Start(t.Context(), h))
	return sync.OnceFunc(func() {
		require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
	})
}

func newHost(url string, stored *memory) *host {
	return &host{extensions: map[component.ID]component.Component{
		clusterID: &fakeCluster{config: &rest.Config{Host: url, QPS: -1}, uid: "uid-of-prod"}, storageID: stored,
	}}
}

func withStorage(c *Config) { c.Storage = &storageID }
