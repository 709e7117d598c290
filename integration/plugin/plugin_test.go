// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// TestViews lets something happen in two clusters, and looks at it through two storages, which index differently.
func TestViews(t *testing.T) {
	b := startBed(t)
	result, err := testbed.RolloutScenario(t.Context(), b.prod, testbed.RolloutOptions{})
	require.NoError(t, err)
	replicaSet := b.replaceImage(t)
	uids := b.liveTwice(t)
	b.linkAcrossClusters(t)
	late := b.adoptLate(t)
	orphan, twins := b.outliveOwners(t), b.makeTwins(t)
	told := b.readAuditLog(t)
	edge := b.replayOverAnEdge(t, result)
	// Memory comes last: Jaeger v2.13 can crash if that is read while the same trace is written.
	for _, name := range []string{"badger", "memory"} {
		p := b.pages[name]
		t.Run(name, func(t *testing.T) {
			t.Run("a roll-out", func(t *testing.T) { p.requireRollout(t, result) })
			t.Run("the first ReplicaSet with its ancestors", func(t *testing.T) { p.requireAncestors(t, replicaSet) })
			t.Run("every mode", func(t *testing.T) { p.requireModes(t, result, told) })
			t.Run("a Pod with its node", func(t *testing.T) { p.requireNode(t, result) })
			t.Run("two lives of a name", func(t *testing.T) { p.requireLives(t, uids) })
			t.Run("over a window's edge", func(t *testing.T) { p.requireEdge(t, result, told, edge) })
			t.Run("a fragment joined late", func(t *testing.T) { p.requireLate(t, late) })
			t.Run("a link across clusters", p.requireLinkAcrossClusters)
			t.Run("a Pod that outlived its owners", func(t *testing.T) { p.requireUnderItsOwners(t, orphan) })
			t.Run("the same names in two clusters", func(t *testing.T) { p.requireTwins(t, twins) })
			t.Run("searches", func(t *testing.T) { p.requireSearches(t, result) })
			t.Run("over HTTP", func(t *testing.T) { p.requireHTTP(t, result) })
		})
	}
	t.Run("any plug-in opens any link", func(t *testing.T) { b.requireAnyPluginOpens(t, result) })
	t.Run("spans of the API server", func(t *testing.T) { b.requireTraced(t, late) })
	t.Run("what does not fit", func(t *testing.T) { b.requireWarnings(t, result) })
}

// nameOf is the object's name as a view has it: with its namespace, but for the times on a root.
func nameOf(span testbed.Span) string {
	name, _, _ := strings.Cut(span.Operation, " ")
	return path.Base(name)
}

// requireRollout: what happened to the Deployment is its log, and below it are the ReplicaSets and their Pods.
func (p *page) requireRollout(t *testing.T, result *testbed.RolloutResult) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := p.search(t, "tracing [full tree]", map[string]string{
			"resource": "deployments", "namespace": result.Namespace, "name": result.Deployment.Name,
		})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		trace := traces[0]
		require.Len(c, trace.Roots(), 1, "%s", trace)
		deployment := trace.Roots()[0]
		assert.Equal(c, result.Deployment.Name, nameOf(deployment))
		assert.Equal(c, "deployments", deployment.Service)
		assert.Empty(c, deployment.Warnings)
		requireLogs(c, deployment)

		var replicaSets []string
		pods := 0
		for _, child := range trace.Children(deployment) {
			assert.Equal(c, "replicasets", child.Service)
			replicaSets = append(replicaSets, nameOf(child))
			pods += len(trace.Children(child))
		}
		var want []string
		for _, rs := range result.ReplicaSets {
			want = append(want, rs.Name)
		}
		assert.ElementsMatch(c, want, replicaSets)
		assert.Len(c, want, 2)
		assert.Equal(c, len(result.Pods), pods, "%s", trace)

		opened, err := p.jaeger.Trace(t.Context(), trace.ID)
		require.NoError(c, err)
		assert.Equal(c, shape(trace), shape(opened), "the result opens")
	}, patience, 500*time.Millisecond)
}

// requireAnyPluginOpens: what one hands out is an address that another knows as well, which has not been asked for anything of it.
func (b *bed) requireAnyPluginOpens(t *testing.T, result *testbed.RolloutResult) {
	found, err := b.pages["badger"].search(t, "tree [full tree]", map[string]string{
		"resource": "deployments", "namespace": result.Namespace, "name": result.Deployment.Name,
	})
	require.NoError(t, err)
	require.Len(t, found, 1)
	opened, err := b.pages["memory"].jaeger.Trace(t.Context(), found[0].ID)
	require.NoError(t, err)
	assert.Equal(t, shape(found[0]), shape(opened))
}

func requireLogs(t require.TestingT, deployment testbed.Span) {
	told := map[string]bool{}
	for i, log := range deployment.Logs {
		if i > 0 {
			assert.False(t, log.Time.Before(deployment.Logs[i-1].Time), "logs are in order of time")
		}
		event := fmt.Sprint(log.Fields["event"])
		for key, value := range log.Fields {
			text := fmt.Sprint(value)
			assert.NotContains(t, key+text, "managedFields")
			if strings.HasPrefix(key, "diff ") {
				told[key+": "+text] = true
			}
			if key == "snapshot" {
				var object struct{ Metadata struct{ Name string } }
				require.NoError(t, json.Unmarshal([]byte(text), &object))
				told["snapshot of "+object.Metadata.Name+" on "+event] = true
			}
		}
		told[event] = true
	}
	for _, want := range []string{
		"alice create", "snapshot of demo on alice delete", "ScalingReplicaSet",
		"deployment-controller update status",
		"diff status.observedGeneration: 1 -> 2", "diff spec.replicas: 2 -> 4", "diff spec.replicas: 4 -> 2",
	} {
		assert.True(t, told[want], "%q is not told in %v", want, told)
	}
}

// shape describes the tree of a trace.
func shape(trace testbed.Trace) (all []string) {
	for _, span := range trace.Spans {
		above := ""
		if parent, ok := trace.Span(span.ParentID); ok {
			above = parent.Operation
		}
		all = append(all, above+" > "+span.Service+" "+span.Operation)
	}
	slices.Sort(all)
	return all
}

// replaceImage creates a Deployment, sets its image and deletes it. It returns the name of the first ReplicaSet.
func (b *bed) replaceImage(t *testing.T) string {
	t.Helper()
	deployments := b.prod.Alice.Client.AppsV1().Deployments("default")
	labels := map[string]string{"app": "replaced"}
	_, err := deployments.Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "replaced"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "one"}}},
			},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	sets := func(n int) (items []appsv1.ReplicaSet) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			list, err := b.prod.Alice.Client.AppsV1().ReplicaSets("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=replaced"})
			require.NoError(c, err)
			require.Len(c, list.Items, n)
			items = list.Items
		}, patience, 100*time.Millisecond)
		return items
	}
	first := sets(1)[0].Name
	patch := `{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"two"}]}}}}`
	_, err = deployments.Patch(t.Context(), "replaced", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(t, err)
	sets(2)
	require.NoError(t, deployments.Delete(t.Context(), "replaced", metav1.DeleteOptions{}))
	sets(0)
	return first
}

func (p *page) requireAncestors(t *testing.T, replicaSet string) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := p.search(t, "tracing [ancestors]", map[string]string{"resource": "replicasets", "name": replicaSet})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		trace := traces[0]
		require.Len(c, trace.Roots(), 1)
		deployment := trace.Roots()[0]
		assert.Equal(c, "replaced", nameOf(deployment))
		require.Len(c, trace.Children(deployment), 1, "%s", trace)
		assert.Equal(c, replicaSet, nameOf(trace.Children(deployment)[0]))
		assert.Len(c, trace.Spans, 2)
	}, patience, 500*time.Millisecond)
}

// requireNode: a link leads from a Pod to the node that it was on.
func (p *page) requireNode(t *testing.T, result *testbed.RolloutResult) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := p.search(t, "tracing [links]", map[string]string{"resource": "pods", "namespace": result.Namespace, "name": result.Pods[0].Name})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		nodes := traces[0].Find(func(s testbed.Span) bool { return s.Service == "nodes" })
		require.Len(c, nodes, 1, "%s", traces[0])
		assert.Contains(c, nodes[0].Operation, "node-")
		pod := traces[0].Roots()[0]
		require.NotEmpty(c, pod.Logs)
		padded := pod.Logs[0].Time.Add(-pod.Duration / 22) // it is a twentieth longer on each side
		assert.WithinDuration(c, padded, pod.Start, 2*time.Microsecond, "the Pod begins with what happened to itself")
		assert.Empty(c, traces[0].Roots()[0].Warnings)
	}, patience, 500*time.Millisecond)
}

// liveTwice creates a ConfigMap, deletes it and creates it again, and then once more in vain. It returns the UIDs.
func (b *bed) liveTwice(t *testing.T) (uids []string) {
	t.Helper()
	configMaps := b.prod.Alice.Client.CoreV1().ConfigMaps("default")
	for i := range 2 {
		created, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "twice"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		uids = append(uids, string(created.UID))
		if i == 0 {
			require.NoError(t, configMaps.Delete(t.Context(), "twice", metav1.DeleteOptions{}))
		}
	}
	_, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "twice"}}, metav1.CreateOptions{})
	require.True(t, apierrors.IsAlreadyExists(err), "%v", err)
	return uids
}

func (p *page) requireLives(t *testing.T, uids []string) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := p.search(t, "tracing", map[string]string{"resource": "configmaps", "name": "twice"})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		require.Len(c, traces[0].Roots(), 1)
		var lives []string
		for _, span := range traces[0].Find(func(s testbed.Span) bool { return len(s.Logs) > 0 }) {
			lives = append(lives, fmt.Sprint(span.Process["k8s.object.uid"]))
		}
		assert.Equal(c, uids, lives, "%s", traces[0])
	}, patience, 500*time.Millisecond)
}

func (p *page) requireSearches(t *testing.T, result *testbed.RolloutResult) {
	demo := map[string]string{"resource": "deployments", "namespace": result.Namespace, "name": result.Deployment.Name}
	for name, test := range map[string]struct {
		tags map[string]string
		want string
	}{
		"by UID":             {map[string]string{"uid": string(result.Deployment.UID)}, "demo"},
		"by kind":            {map[string]string{"kind": "Deployment", "namespace": result.Namespace}, "demo"},
		"by user":            {map[string]string{"user.name": "alice", "resource": "deployments", "namespace": result.Namespace}, "demo"},
		"by reason":          {map[string]string{"k8s.event.reason": "ScalingReplicaSet", "namespace": result.Namespace}, "demo"},
		"by subresource":     {map[string]string{"k8s.audit.subresource": "scale", "namespace": result.Namespace}, "demo"},
		"by status":          {map[string]string{"http.response.status_code": "409", "resource": "configmaps", "user.name": "alice"}, "twice"},
		"by error":           {map[string]string{"error.type": "AlreadyExists", "resource": "configmaps"}, "twice"},
		"nothing":            {map[string]string{"name": "nobody"}, ""},
		"not in one request": {map[string]string{"user.name": "alice", "k8s.event.reason": "ScalingReplicaSet"}, ""},
	} {
		traces, err := p.search(t, "tracing", test.tags)
		require.NoError(t, err)
		if test.want == "" {
			assert.Empty(t, traces, name)
			continue
		}
		if assert.Len(t, traces, 1, name) {
			assert.Equal(t, test.want, nameOf(traces[0].Roots()[0]))
		}
	}
	all, err := p.search(t, "tracing", map[string]string{"namespace": result.Namespace})
	require.NoError(t, err)
	assert.Greater(t, len(all), 1+2+4, "every object is a result")
	some, err := p.jaeger.FindTraces(t.Context(), testbed.TraceQuery{Service: "tracing", Tags: map[string]string{"namespace": result.Namespace}, Limit: 3})
	require.NoError(t, err)
	assert.Len(t, some, 3)
	before, err := p.jaeger.FindTraces(t.Context(), testbed.TraceQuery{Service: "tracing", Tags: demo, End: time.Now().Add(-2 * time.Hour)})
	require.NoError(t, err)
	assert.Empty(t, before)

	wrong, err := p.search(t, "tracing", map[string]string{"resource": "Deployment"})
	require.NoError(t, err)
	require.Len(t, wrong, 1)
	assert.Contains(t, wrong[0].Spans[0].Operation, "The search is not valid: a resource is lower case and plural")
	assert.NotEmpty(t, wrong[0].Spans[0].Warnings)
	_, err = p.jaeger.Trace(t.Context(), "ff200000000000001"+strings.Repeat("1", 15))
	require.ErrorIs(t, err, testbed.ErrNoTrace)
}

func (p *page) requireHTTP(t *testing.T, result *testbed.RolloutResult) {
	query := url.Values{
		"kind": {"Deployment"}, "namespace": {result.Namespace}, "name": {result.Deployment.Name}, "ts": {result.Started.Format(time.RFC3339)},
		"mode": {"tracing [full tree]"}, "cluster": {"prod"},
	}
	code, header, _ := p.get(t, "/redirect", query)
	require.Equal(t, http.StatusFound, code)
	address, id, ok := strings.Cut(header.Get("Location"), "/trace/")
	require.True(t, ok)
	assert.Equal(t, p.jaeger.URL, address)
	trace, err := p.jaeger.Trace(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, result.Deployment.Name, nameOf(trace.Roots()[0]))

	query.Set("format", "text")
	code, header, text := p.get(t, "/trace", query)
	require.Equal(t, http.StatusOK, code, text)
	assert.Equal(t, id, header.Get("Trace-Id"))
	for _, want := range append([]testbed.Object{result.Deployment}, append(result.ReplicaSets, result.Pods...)...) {
		assert.Contains(t, text, want.Name)
	}
	t.Log("\n" + text)
}

// get asks the plug-in itself.
func (p *page) get(t *testing.T, path string, query url.Values) (code int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.http+path+"?"+query.Encode(), nil)
	require.NoError(t, err)
	response, err := noRedirects.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(text)
}
