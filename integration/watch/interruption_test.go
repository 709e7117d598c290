// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package watch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

// line is a connection to an API server that can be interrupted.
type line struct {
	mu   sync.Mutex // guards all below
	cut  bool
	ends []context.CancelFunc
	// expired is the number of watches that are answered 410 after the interruption.
	expired int
	seen    int
}

// through is a transport through a line.
type through struct {
	*line
	next http.RoundTripper
}

func (l through) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	if l.cut {
		l.mu.Unlock()
		return nil, syscall.ECONNREFUSED
	}
	query := r.URL.Query()
	if query.Get("watch") != "true" {
		l.mu.Unlock()
		return l.next.RoundTrip(r)
	}
	if l.expired > 0 && query.Get("resourceVersion") != "" && query.Get("sendInitialEvents") == "" {
		l.expired--
		l.seen++
		l.mu.Unlock()
		const gone = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version","reason":"Expired","code":410}}` + "\n"
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(bytes.NewReader([]byte(gone))),
		}, nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	l.ends = append(l.ends, cancel)
	l.mu.Unlock()
	response, err := l.next.RoundTrip(r.WithContext(ctx))
	if err == nil {
		response.Body = &ending{response.Body, ctx}
	}
	return response, err
}

// WrappedRoundTripper lets client-go close idle connections.
func (l through) WrappedRoundTripper() http.RoundTripper { return l.next }

// ending ends as if the API server had closed the watch in order, when the context does.
type ending struct {
	io.ReadCloser
	ctx context.Context
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err != nil && e.ctx.Err() != nil {
		err = io.EOF
	}
	return n, err
}

func (l *line) interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, end := range l.ends {
		end()
	}
	l.ends = nil
}

func (l *line) restore(expired int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut, l.expired = false, expired
}

func (l *line) expiredSeen() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// TestAfterAnInterruptionAllIsListedAgain: the watches end, changes happen meanwhile, and when they resume the API server
// answers 410 Gone to all of them.
func TestAfterAnInterruptionAllIsListedAgain(t *testing.T) {
	l := &line{}
	config := rest.CopyConfig(bed.Admin.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return through{l, next} })
	w := startWatching(t, config, func(c *watchreceiver.Config) {
		c.Include = []watchreceiver.RuleConfig{{Resources: []string{"configmaps"}}}
	})
	const ns = "interruption"
	newNamespace(t, w, ns)
	configMaps := bed.Alice.Client.CoreV1().ConfigMaps(ns)
	create := func(name string) {
		_, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	for _, name := range []string{"stays", "changes", "goes", "again"} {
		create(name)
		w.awaitName(t, "created", "configmaps", ns, name)
	}
	l.interrupt()
	_, err := configMaps.Patch(t.Context(), "changes", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	require.NoError(t, configMaps.Delete(t.Context(), "goes", metav1.DeleteOptions{}))
	require.NoError(t, configMaps.Delete(t.Context(), "again", metav1.DeleteOptions{}))
	create("again")
	create("comes")
	l.restore(1)

	changed := w.awaitName(t, "updated", "configmaps", ns, "changes")
	assert.Equal(t, map[string]string{"metadata.labels": `null -> {"a":"b"}`}, changed.diff())
	assert.Equal(t, "true", changed.text(attr.WatchInferred))
	gone := w.awaitName(t, "deleted", "configmaps", ns, "goes")
	assert.Contains(t, gone.snapshot(), `"name":"goes"`)
	w.awaitName(t, "created", "configmaps", ns, "comes")
	w.awaitName(t, "deleted", "configmaps", ns, "again")
	assert.Eventually(t, func() bool { return len(w.on("configmaps", ns, "again")) == 3 }, patience, 20*time.Millisecond)
	assert.Len(t, w.on("configmaps", ns, "stays"), 1)
	assert.Equal(t, 1, l.expiredSeen())
	assert.Eventually(t, w.host.isHealthy, patience, 20*time.Millisecond)
}

// old is a transport to an API server that is as old as those that cannot stream lists.
type old struct{ next http.RoundTripper }

func (o old) WrappedRoundTripper() http.RoundTripper { return o.next }

func (o old) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("sendInitialEvents") == "" {
		return o.next.RoundTrip(r)
	}
	const invalid = `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"sendInitialEvents is forbidden for watch","reason":"Invalid","code":422}`
	return &http.Response{
		StatusCode: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(invalid)),
	}, nil
}

func TestAnAPIServerThatCannotStreamLists(t *testing.T) {
	const ns = "old"
	require.NoError(t, bed.CreateNamespace(t.Context(), bed.Alice, ns))
	configMaps := bed.Alice.Client.CoreV1().ConfigMaps(ns)
	for i := range 7 {
		_, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("map-", i)}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	config := rest.CopyConfig(bed.Admin.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return old{next} })
	w := startWatching(t, config, func(c *watchreceiver.Config) { c.Lists.PageSize = 2 })
	newNamespace(t, w, "old-2")
	for i := range 7 {
		_, err := configMaps.Patch(t.Context(), fmt.Sprint("map-", i), types.MergePatchType, []byte(`{"data":{"a":"b"}}`), metav1.PatchOptions{})
		require.NoError(t, err)
		changed := w.awaitName(t, "updated", "configmaps", ns, fmt.Sprint("map-", i))
		assert.Equal(t, map[string]string{"data": `null -> {"a":"<redacted>"}`}, changed.diff(), "it was in a page")
	}
	assert.True(t, w.host.isHealthy(), w.host.failure())
}

// TestWhatMayNotBeWatchedDoesNotStopTheRest: mallory may read one resource of one namespace, and later another. That is a
// failure only of what is asked for by name.
func TestWhatMayNotBeWatchedDoesNotStopTheRest(t *testing.T) {
	const ns = "granted"
	require.NoError(t, bed.CreateNamespace(t.Context(), bed.Alice, ns))
	grant(t, ns, "configmaps")
	limited := func(c *watchreceiver.Config) { c.Namespaces, c.DiscoveryInterval = []string{ns}, time.Second }
	everything := startWatching(t, bed.Mallory.Config, limited)
	named := startWatching(t, bed.Mallory.Config, func(c *watchreceiver.Config) {
		limited(c)
		c.Include = []watchreceiver.RuleConfig{{Resources: []string{"configmaps", "serviceaccounts"}}}
	})
	require.Eventually(t, func() bool { return named.host.failure() != "" }, patience, 20*time.Millisecond)
	assert.Contains(t, named.host.failure(), "serviceaccounts in granted")
	for _, w := range []*watching{everything, named} {
		require.Eventually(t, func() bool { return w.haveListed([]string{"configmaps"}) }, patience, 20*time.Millisecond)
	}
	_, err := bed.Alice.Client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "seen"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	everything.awaitName(t, "created", "configmaps", ns, "seen")
	named.awaitName(t, "created", "configmaps", ns, "seen")
	assert.True(t, everything.host.isHealthy(), everything.host.failure())

	grant(t, ns, "serviceaccounts")
	assert.Eventually(t, named.host.isHealthy, patience, 20*time.Millisecond, "it is tried again")
	require.Eventually(t, func() bool { return everything.haveListed([]string{"serviceaccounts"}) }, patience, 20*time.Millisecond)
}

// TestHistoryThatIsGone: etcd's history is compacted while the watch is interrupted, in an API server that has no other.
func TestHistoryThatIsGone(t *testing.T) {
	c := testbed.ForTest(t, testbed.Options{
		Components: testbed.APIServerOnly, APIServerFlags: []string{"--watch-cache=false", "--etcd-compaction-interval=1s"},
	})
	l := &line{}
	config := rest.CopyConfig(c.Admin.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return through{l, next} })
	w := startWatching(t, config, func(c *watchreceiver.Config) {
		c.Include = []watchreceiver.RuleConfig{{Resources: []string{"configmaps"}, Namespaces: []string{"default"}}}
	})
	require.Eventually(t, func() bool { return w.haveListed([]string{"configmaps"}) }, patience, 20*time.Millisecond)
	configMaps := c.Alice.Client.CoreV1().ConfigMaps("default")
	var last *corev1.ConfigMap
	for _, name := range []string{"goes", "changes"} {
		var err error
		last, err = configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		require.NoError(t, err)
		w.awaitName(t, "created", "configmaps", "default", name)
	}
	l.interrupt()
	require.NoError(t, configMaps.Delete(t.Context(), "goes", metav1.DeleteOptions{}))
	_, err := configMaps.Patch(t.Context(), "changes", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	awaitCompacted(t, c, last.ResourceVersion)
	l.restore(0)

	changed := w.awaitName(t, "updated", "configmaps", "default", "changes")
	assert.Equal(t, map[string]string{"metadata.labels": `null -> {"a":"b"}`}, changed.diff())
	assert.Equal(t, "true", changed.text(attr.WatchInferred))
	w.awaitName(t, "deleted", "configmaps", "default", "goes")
	_, err = configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "comes"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	assert.Empty(t, w.awaitName(t, "created", "configmaps", "default", "comes").text(attr.WatchInferred), "the watch goes on")
	assert.Len(t, w.on("configmaps", "default", ""), 5, "and nothing is told twice")
	assert.True(t, w.host.isHealthy(), w.host.failure())
}

// awaitCompacted waits until a watch from a resourceVersion is refused. Meanwhile it changes other objects, as happens in a living
// cluster, for there to be something to compact.
func awaitCompacted(t *testing.T, c *testbed.Cluster, version string) {
	t.Helper()
	i := 0
	require.Eventually(t, func() bool {
		i++
		_, err := c.Admin.Client.CoreV1().Services("default").Create(t.Context(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("noise-", i)}, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		w, err := c.Admin.Client.CoreV1().ConfigMaps("default").Watch(t.Context(), metav1.ListOptions{ResourceVersion: version, TimeoutSeconds: new(int64(1))})
		if err != nil {
			return apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
		}
		defer w.Stop()
		for e := range w.ResultChan() {
			if err := apierrors.FromObject(e.Object); e.Type == apiwatch.Error {
				return apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
			}
		}
		return false
	}, patience, 100*time.Millisecond)
}

func grant(t *testing.T, namespace, resource string) {
	t.Helper()
	rbac := bed.Admin.Client.RbacV1()
	_, err := rbac.Roles(namespace).Create(t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: resource},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{resource}, Verbs: []string{"list", "watch"}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = rbac.RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: resource},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: resource},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: bed.Mallory.Name, APIGroup: rbacv1.GroupName}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}
