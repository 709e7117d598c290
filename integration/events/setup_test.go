// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package events holds the k8sevent receiver against a real API server: what Events that tells of, restarts, replicas,
// and a history that is gone.
package events

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
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
	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver"
)

const (
	patience = 90 * time.Second
	// reader is a user that may do what the README says that the receiver needs, and nothing else.
	reader = "event-reader"
)

// shared is the cluster of all tests that do not need one of their own.
var shared *testbed.Cluster

func TestMain(m *testing.M) {
	code := testbed.RunTests(m, withReader(testbed.Options{Pods: testbed.PodsFast}), func(c *testbed.Cluster) { shared = c })
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withReader(o testbed.Options) testbed.Options {
	o.Users = append(o.Users, testbed.UserSpec{Name: reader})
	return o
}

// grant lets the reader read Events. It may be called again.
func grant(t *testing.T, c *testbed.Cluster) {
	t.Helper()
	rbac := c.Admin.Client.RbacV1()
	if _, err := rbac.ClusterRoles().Get(t.Context(), reader, metav1.GetOptions{}); err == nil {
		return
	}
	_, err := rbac.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: reader},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{eventsv1.GroupName}, Resources: []string{"events"}, Verbs: []string{"list", "watch"}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = rbac.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: reader},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: reader},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: reader}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// cluster is the test bed's cluster by the name "live" as the extension kube_clusters would know it.
type cluster struct {
	*testbed.Cluster
	requests *requests
	cache    discovery.CachedDiscoveryInterface
}

func newCluster(c *testbed.Cluster) *cluster {
	return &cluster{Cluster: c, requests: new(requests), cache: memory.NewMemCacheClient(c.Admin.Client.Discovery())}
}

func (c *cluster) Name() string { return "live" }

// clusters is the extension that has it.
type clusters struct {
	component.StartFunc
	component.ShutdownFunc
	only *cluster
}

func (c *clusters) Cluster(string) (kubecluster.Cluster, error) { return c.only, nil }

func (c *clusters) Names() []string { return []string{c.only.Name()} }

func (c *cluster) UID(ctx context.Context) (types.UID, error) {
	ns, err := c.Admin.Client.CoreV1().Namespaces().Get(ctx, "kube-system", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return ns.UID, nil
}

func (c *cluster) RESTConfig() *rest.Config {
	config := rest.CopyConfig(c.Users[reader].Config)
	config.Wrap(c.requests.count)
	return config
}

func (c *cluster) Discovery() discovery.CachedDiscoveryInterface { return c.cache }

func (c *cluster) Mapper() meta.RESTMapper { return restmapper.NewDeferredDiscoveryRESTMapper(c.cache) }

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

// requests counts what receivers ask of the API server.
type requests struct {
	mu             sync.Mutex
	lists, watches int
}

func (r *requests) count(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		r.mu.Lock()
		if strings.Contains(req.URL.RawQuery, "watch=true") {
			r.watches++
		} else {
			r.lists++
		}
		r.mu.Unlock()
		return next.RoundTrip(req)
	})
}

func (r *requests) made() (lists, watches int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lists, r.watches
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// replica is one installation of the receiver, with a disk of its own that survives restarts.
type replica struct {
	t       *testing.T
	cluster *cluster
	storage extension.Extension
	told    *told
}

var (
	clusterID = component.MustNewID("kube_clusters")
	storageID = component.MustNewID("file_storage")
)

func newReplica(t *testing.T, c *testbed.Cluster) *replica {
	t.Helper()
	grant(t, c)
	factory := filestorage.NewFactory()
	config := factory.CreateDefaultConfig().(*filestorage.Config)
	config.Directory = t.TempDir()
	disk, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), config)
	require.NoError(t, err)
	require.NoError(t, disk.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, disk.Shutdown(context.WithoutCancel(t.Context()))) })
	return &replica{t: t, cluster: newCluster(c), storage: disk, told: new(told)}
}

// GetExtensions makes it a component.Host.
func (r *replica) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{clusterID: &clusters{only: r.cluster}, storageID: r.storage}
}

// start starts the receiver, into another consumer than told if there is one, and returns how to stop it.
func (r *replica) start(next ...consumer.Traces) (stop func()) {
	r.t.Helper()
	factory := k8seventreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*k8seventreceiver.Config)
	config.Storage = &storageID
	set := receivertest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type()) // the position belongs to the ID
	next = append(next, r.told)
	receiver, err := factory.CreateTraces(r.t.Context(), set, config, next[0])
	require.NoError(r.t, err)
	require.NoError(r.t, receiver.Start(r.t.Context(), r))
	stop = sync.OnceFunc(func() { require.NoError(r.t, receiver.Shutdown(context.WithoutCancel(r.t.Context()))) })
	r.t.Cleanup(stop)
	return stop
}

// awaitWatch waits until no state will be passed over any more: a list tells the last ones only.
func (r *replica) awaitWatch() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		_, watches := r.cluster.requests.made()
		return watches > 0
	}, patience, time.Millisecond)
}

// state is one state of one Event.
type state struct {
	uid   types.UID
	count int64
}

// span is a span with its resource's attributes.
type span struct {
	ptrace.Span
	resource pcommon.Map
}

func (s span) state() state {
	count, _ := s.Attributes().Get(attr.EventCount)
	return state{types.UID(text(s.Attributes(), attr.EventUID)), count.Int()}
}

func (s span) id() string { return s.TraceID().String() + s.SpanID().String() }

func (s span) object() string {
	return text(s.resource, attr.ObjectResource) + "/" + text(s.resource, attr.ObjectName)
}

func (s span) isObject() bool { return text(s.Attributes(), attr.SpanType) == attr.SpanTypeObject }

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}

// told keeps every span.
type told struct {
	mu  sync.Mutex
	all []span
}

func (*told) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *told) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				c.all = append(c.all, span{s, rs.Resource().Attributes()})
			}
		}
	}
	return nil
}

func (c *told) spans() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]span(nil), c.all...)
}

// in lists the spans of Events in a namespace.
func (c *told) in(namespace string) []span {
	var in []span
	for _, s := range c.spans() {
		if text(s.Attributes(), attr.EventNamespace) == namespace {
			in = append(in, s)
		}
	}
	return in
}

// states counts how often each state of Events in a namespace was told.
func (c *told) states(namespace string) map[state]int {
	states := map[state]int{}
	for _, s := range c.in(namespace) {
		states[s.state()]++
	}
	return states
}

// reporter writes Events, and knows all states that it wrote.
type reporter struct {
	t         *testing.T
	cluster   *testbed.Cluster
	namespace string
	written   map[state]int // all 1
	made      int
}

func newReporter(t *testing.T, c *testbed.Cluster, namespace string) *reporter {
	t.Helper()
	_, err := c.Admin.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	return &reporter{t: t, cluster: c, namespace: namespace, written: map[state]int{}}
}

// The style of an Event is in its name.
const newStyle, oldStyle = "new-", "old-"

// report writes an Event in the new style, or in that of core/v1.
func (r *reporter) report() (name string, uid types.UID) {
	r.t.Helper()
	r.made++
	name = fmt.Sprintf("%s%04d", newStyle, r.made)
	if r.made%2 == 0 {
		name = fmt.Sprintf("%s%04d", oldStyle, r.made)
	}
	on := corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: r.namespace, Name: "web", UID: "uid-of-web"}
	if strings.HasPrefix(name, oldStyle) {
		now := metav1.Now()
		made, err := r.cluster.Admin.Client.CoreV1().Events(r.namespace).Create(r.t.Context(), &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: name}, InvolvedObject: on, Reason: "Old", Type: "Normal", Message: "m",
			FirstTimestamp: now, LastTimestamp: now, Count: 1, Source: corev1.EventSource{Component: "test"},
		}, metav1.CreateOptions{})
		require.NoError(r.t, err)
		uid = made.UID
	} else {
		made, err := r.cluster.Admin.Client.EventsV1().Events(r.namespace).Create(r.t.Context(), &eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Regarding: on, Reason: "New", Type: "Warning", Note: "m", Action: "Testing",
			EventTime: metav1.NowMicro(), ReportingController: "example.com/test", ReportingInstance: "test-0",
		}, metav1.CreateOptions{})
		require.NoError(r.t, err)
		uid = made.UID
	}
	r.written[state{uid, 1}]++
	return name, uid
}

// repeat writes that an Event has been observed again.
func (r *reporter) repeat(name string, uid types.UID, count int) {
	r.t.Helper()
	var err error
	if strings.HasPrefix(name, oldStyle) {
		patch := fmt.Sprintf(`{"count":%d,"lastTimestamp":%q}`, count, time.Now().UTC().Format(time.RFC3339))
		_, err = r.cluster.Admin.Client.CoreV1().Events(r.namespace).Patch(r.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	} else {
		patch := fmt.Sprintf(`{"series":{"count":%d,"lastObservedTime":%q}}`, count, time.Now().UTC().Format(metav1.RFC3339Micro))
		_, err = r.cluster.Admin.Client.EventsV1().Events(r.namespace).Patch(r.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	}
	require.NoError(r.t, err)
	r.written[state{uid, int64(count)}]++
}
