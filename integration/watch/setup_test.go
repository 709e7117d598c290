// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package watch

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

const patience = 30 * time.Second

// bed is the cluster that all tests share.
var bed *testbed.Cluster

func TestMain(m *testing.M) {
	if kubeconfig := os.Getenv(childEnv); kubeconfig != "" {
		fmt.Fprintln(os.Stderr, runChild(kubeconfig))
		os.Exit(1)
	}
	code := testbed.RunTests(m, testbed.Options{Pods: testbed.PodsFast}, func(c *testbed.Cluster) { bed = c })
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// cluster gives the receiver the test bed's cluster, without the extension around it.
type cluster struct {
	config    *rest.Config
	discovery discovery.CachedDiscoveryInterface
}

func (c *cluster) Cluster(string) (kubecluster.Cluster, error)   { return c, nil }
func (c *cluster) Names() []string                               { return []string{c.Name()} }
func (c *cluster) Name() string                                  { return "bed" }
func (c *cluster) UID(context.Context) (types.UID, error)        { return "bed", nil }
func (c *cluster) RESTConfig() *rest.Config                      { return rest.CopyConfig(c.config) }
func (c *cluster) Discovery() discovery.CachedDiscoveryInterface { return c.discovery }
func (c *cluster) Mapper() meta.RESTMapper {
	return restmapper.NewDeferredDiscoveryRESTMapper(c.discovery)
}
func (c *cluster) Start(context.Context, component.Host) error { return nil }
func (c *cluster) Shutdown(context.Context) error              { return nil }
func (c *cluster) Metadata(context.Context, schema.GroupResource, string, string) (*metav1.PartialObjectMetadata, error) {
	return nil, kubecluster.ErrUnavailable
}

func (c *cluster) Known(schema.GroupResource, string, string) (*metav1.PartialObjectMetadata, bool) {
	return nil, false
}

func (c *cluster) Object(context.Context, schema.GroupResource, string, string) ([]byte, error) {
	return nil, kubecluster.ErrUnavailable
}
func (c *cluster) Offer(kubecluster.Source) func() { return func() {} }

// host has one extension, and keeps the last status that was reported.
type host struct {
	cluster *cluster
	mu      sync.Mutex // guards status
	status  *componentstatus.Event
}

func (h *host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("kube_clusters"): h.cluster}
}

func (h *host) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = e
}

func (h *host) failure() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status == nil || h.status.Err() == nil {
		return ""
	}
	return h.status.Err().Error()
}

func (h *host) isHealthy() bool { return h.failure() == "" }

// watching is a running receiver.
type watching struct {
	sink      *consumertest.TracesSink
	host      *host
	telemetry *componenttest.Telemetry
	// everything is true unless only some resources are watched.
	everything bool
}

// newWatching makes what a receiver needs that runs as the user, until the test ends.
func newWatching(t *testing.T, config *rest.Config) *watching {
	t.Helper()
	httpClient, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	client, err := discovery.NewDiscoveryClientForConfigAndClient(config, httpClient)
	require.NoError(t, err)
	t.Cleanup(httpClient.CloseIdleConnections)
	return &watching{
		sink: new(consumertest.TracesSink), host: &host{cluster: &cluster{config, memory.NewMemCacheClient(client)}},
		telemetry: componenttest.NewTelemetry(),
	}
}

// startWatching runs a receiver until the test ends, as the user. Each resource is watched from its first list on, which
// newNamespace waits for.
func startWatching(t *testing.T, config *rest.Config, change func(*watchreceiver.Config)) *watching {
	t.Helper()
	w := newWatching(t, config)
	factory := watchreceiver.NewFactory()
	options := factory.CreateDefaultConfig().(*watchreceiver.Config)
	if change != nil {
		change(options)
	}
	set := receivertest.NewNopSettings(factory.Type())
	set.TelemetrySettings = w.telemetry.NewTelemetrySettings()
	w.everything = len(options.Include) == 0
	r, err := factory.CreateTraces(t.Context(), set, options, w.sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), w.host))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return w
}

// haveListed is true when the first list of each resource has been read: what happens from then on is watched.
func (w *watching) haveListed(resources []string) bool {
	lists, err := w.telemetry.GetMetric("otelcol_receiver_watch_relists")
	if err != nil {
		return false // none yet
	}
	listed := map[string]bool{}
	for _, point := range lists.Data.(metricdata.Sum[int64]).DataPoints {
		for _, value := range point.Attributes.ToSlice() {
			listed[value.Value.AsString()] = true
		}
	}
	return !slices.ContainsFunc(resources, func(resource string) bool { return !listed[resource] })
}

// counting counts spans.
type counting struct {
	consumertest.Consumer
	spans atomic.Int64
}

func (c *counting) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	c.spans.Add(int64(traces.SpanCount()))
	return nil
}

func (c *counting) count() int { return int(c.spans.Load()) }

// span is a span with its object.
type span struct {
	ptrace.Span
	objectspan.Resource
}

func (s span) text(key string) string {
	v, ok := s.Attributes().Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

func (s span) diff() map[string]string {
	for _, e := range s.Events().All() {
		if e.Name() == attr.EventDiff {
			texts := map[string]string{}
			for key, value := range e.Attributes().All() {
				texts[key] = value.AsString()
			}
			return texts
		}
	}
	return nil
}

func (s span) snapshot() string {
	for _, e := range s.Events().All() {
		if e.Name() == attr.EventSnapshot {
			if v, ok := e.Attributes().Get(attr.SnapshotObject); ok {
				return v.Str()
			}
		}
	}
	return ""
}

func (s span) String() string {
	return fmt.Sprintf("%s %s/%s @%s %v %s", s.Span.Name(), s.Resource.Resource, s.Resource.Name, s.text(attr.ObjectResourceVersion), s.diff(), s.text(attr.WatchManagers))
}

// on returns the spans on the objects of a resource in a namespace, in the order in which they came; of one object, if
// it is named.
func (w *watching) on(resource, namespace, name string) []span {
	var found []span
	for _, traces := range w.sink.AllTraces() {
		for _, rs := range traces.ResourceSpans().All() {
			r, ok := objectspan.ReadResource(rs.Resource().Attributes())
			if !ok || r.GroupResource() != resource || r.Namespace != namespace || name != "" && r.Name != name {
				continue
			}
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					found = append(found, span{s, r})
				}
			}
		}
	}
	return found
}

// await waits for a span for which the condition holds.
func (w *watching) await(t *testing.T, what, resource, namespace, name string, is func(span) bool) span {
	t.Helper()
	var found span
	if !assert.Eventually(t, func() bool {
		spans := w.on(resource, namespace, name)
		i := slices.IndexFunc(spans, is)
		if i >= 0 {
			found = spans[i]
		}
		return i >= 0
	}, patience, 20*time.Millisecond) {
		var lines []string
		for _, s := range w.on(resource, namespace, name) {
			lines = append(lines, s.String())
		}
		require.FailNow(t, what, strings.Join(lines, "\n"))
	}
	return found
}

func (w *watching) awaitName(t *testing.T, change, resource, namespace, name string) span {
	t.Helper()
	return w.await(t, "not "+change, resource, namespace, name, func(s span) bool { return s.Span.Name() == change })
}

// all is every exported byte.
func (w *watching) all(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, traces := range w.sink.AllTraces() {
		text, err := new(ptrace.JSONMarshaler).MarshalTraces(traces)
		require.NoError(t, err)
		all.Write(text)
	}
	return all.String()
}

// newNamespace makes a namespace, and waits until the receiver has seen what is in it: from then on it sees everything.
func newNamespace(t *testing.T, w *watching, name string) string {
	t.Helper()
	resources := []string{"configmaps"}
	if w.everything {
		resources = append(resources, "namespaces", "secrets", "pods", "deployments.apps", "replicasets.apps")
	}
	require.Eventually(t, func() bool { return w.haveListed(resources) }, patience, 20*time.Millisecond, "not all of %v were listed", resources)
	require.NoError(t, bed.CreateNamespace(t.Context(), bed.Alice, name))
	w.awaitName(t, "created", "configmaps", name, "kube-root-ca.crt")
	return name
}
