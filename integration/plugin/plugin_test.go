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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// TestOnMemory and TestOnBadger look at the same through two storages, which index differently.
func TestOnMemory(t *testing.T) { look(t, memory) }

func TestOnBadger(t *testing.T) { look(t, badger) }

func look(t *testing.T, storage string) {
	b := startBed(t, storage)
	result, err := testbed.RolloutScenario(t.Context(), b.Cluster, testbed.RolloutOptions{})
	require.NoError(t, err)
	replicaSet := b.replaceImage(t)
	uids := b.liveTwice(t)
	t.Run("a roll-out", func(t *testing.T) { b.requireRollout(t, result) })
	t.Run("the first ReplicaSet with its ancestors", func(t *testing.T) { b.requireAncestors(t, replicaSet) })
	t.Run("every mode", func(t *testing.T) { b.requireModes(t, result) })
	t.Run("a Pod with its node", func(t *testing.T) { b.requireNode(t, result) })
	t.Run("two lives of a name", func(t *testing.T) { b.requireLives(t, uids) })
	t.Run("searches", func(t *testing.T) { b.requireSearches(t, result) })
	t.Run("over HTTP", func(t *testing.T) { b.requireHTTP(t, result) })
}

// nameOf is the object's name as a view has it: with its namespace, but for the times on a root.
func nameOf(span testbed.Span) string {
	name, _, _ := strings.Cut(span.Operation, " ")
	return path.Base(name)
}

// requireRollout: what happened to the Deployment is its log, and below it are the ReplicaSets and their Pods.
func (b *bed) requireRollout(t *testing.T, result *testbed.RolloutResult) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := b.search(t, "tracing [full tree]", map[string]string{
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

		opened, err := b.jaeger.Trace(t.Context(), trace.ID)
		require.NoError(c, err)
		assert.Equal(c, shape(trace), shape(opened), "the result opens")
	}, patience, 500*time.Millisecond)
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
		"system:serviceaccount:kube-system:deployment-controller update status",
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
	deployments := b.Alice.Client.AppsV1().Deployments("default")
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
			list, err := b.Alice.Client.AppsV1().ReplicaSets("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=replaced"})
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

func (b *bed) requireAncestors(t *testing.T, replicaSet string) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := b.search(t, "tracing [ancestors]", map[string]string{"resource": "replicasets", "name": replicaSet})
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

// requireModes opens the roll-out in each mode that Jaeger lists, by a search and by the digits in its ID.
func (b *bed) requireModes(t *testing.T, result *testbed.RolloutResult) {
	modes, err := b.jaeger.Services(t.Context())
	require.NoError(t, err)
	for _, want := range []string{"tracing", "grouped", "tree", "timeline", "tracing [full tree]", "tree [ancestors]", "tracing [links]"} {
		require.Contains(t, modes, want)
	}
	ids := map[string]bool{}
	for _, mode := range modes {
		traces, err := b.search(t, mode, map[string]string{"resource": "deployments", "namespace": result.Namespace, "name": result.Deployment.Name})
		require.NoError(t, err)
		require.Len(t, traces, 1, mode)
		trace := traces[0]
		assert.False(t, ids[trace.ID], "two modes have the ID %s", trace.ID)
		ids[trace.ID] = true
		require.Len(t, trace.Roots(), 1, "%s: %s", mode, trace)
		spans := map[string]bool{}
		for _, span := range trace.Spans {
			assert.False(t, spans[span.ID], "%s: two spans have one ID", mode)
			spans[span.ID] = true
			assert.Empty(t, span.Warnings, mode)
			assert.GreaterOrEqual(t, span.Duration, time.Duration(0))
		}
		byDigits, err := b.jaeger.Trace(t.Context(), trace.ID)
		require.NoError(t, err, mode)
		assert.Equal(t, shape(trace), shape(byDigits), mode)
	}
	operations, err := b.jaeger.Operations(t.Context(), "tracing")
	require.NoError(t, err)
	assert.Equal(t, []string{"prod"}, operations)
}

// requireNode: a link leads from a Pod to the node that it was on.
func (b *bed) requireNode(t *testing.T, result *testbed.RolloutResult) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := b.search(t, "tracing [links]", map[string]string{"resource": "pods", "namespace": result.Namespace, "name": result.Pods[0].Name})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		nodes := traces[0].Find(func(s testbed.Span) bool { return s.Service == "nodes" })
		require.Len(c, nodes, 1, "%s", traces[0])
		assert.Contains(c, nodes[0].Operation, "node-")
		assert.Empty(c, traces[0].Roots()[0].Warnings)
	}, patience, 500*time.Millisecond)
}

// liveTwice creates a ConfigMap, deletes it and creates it again. It returns the UIDs.
func (b *bed) liveTwice(t *testing.T) (uids []string) {
	t.Helper()
	configMaps := b.Alice.Client.CoreV1().ConfigMaps("default")
	for i := range 2 {
		created, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "twice"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		uids = append(uids, string(created.UID))
		if i == 0 {
			require.NoError(t, configMaps.Delete(t.Context(), "twice", metav1.DeleteOptions{}))
		}
	}
	return uids
}

func (b *bed) requireLives(t *testing.T, uids []string) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := b.search(t, "tracing", map[string]string{"resource": "configmaps", "name": "twice"})
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

func (b *bed) requireSearches(t *testing.T, result *testbed.RolloutResult) {
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
		"nothing":            {map[string]string{"name": "nobody"}, ""},
		"not in one request": {map[string]string{"user.name": "alice", "k8s.event.reason": "ScalingReplicaSet"}, ""},
	} {
		traces, err := b.search(t, "tracing", test.tags)
		require.NoError(t, err)
		if test.want == "" {
			assert.Empty(t, traces, name)
			continue
		}
		if assert.Len(t, traces, 1, name) {
			assert.Equal(t, test.want, nameOf(traces[0].Roots()[0]))
		}
	}
	all, err := b.search(t, "tracing", map[string]string{"namespace": result.Namespace})
	require.NoError(t, err)
	assert.Greater(t, len(all), 1+2+4, "every object is a result")
	some, err := b.jaeger.FindTraces(t.Context(), testbed.TraceQuery{Service: "tracing", Tags: map[string]string{"namespace": result.Namespace}, Limit: 3})
	require.NoError(t, err)
	assert.Len(t, some, 3)
	before, err := b.jaeger.FindTraces(t.Context(), testbed.TraceQuery{Service: "tracing", Tags: demo, End: time.Now().Add(-2 * time.Hour)})
	require.NoError(t, err)
	assert.Empty(t, before)

	wrong, err := b.search(t, "tracing", map[string]string{"resource": "Deployment"})
	require.NoError(t, err)
	require.Len(t, wrong, 1)
	assert.Contains(t, wrong[0].Spans[0].Operation, "The search is not valid: a resource is lower case and plural")
	assert.NotEmpty(t, wrong[0].Spans[0].Warnings)
	_, err = b.jaeger.Trace(t.Context(), "ff200000000000001"+strings.Repeat("1", 15))
	require.ErrorIs(t, err, testbed.ErrNoTrace)
}

func (b *bed) requireHTTP(t *testing.T, result *testbed.RolloutResult) {
	query := url.Values{
		"kind": {"Deployment"}, "namespace": {result.Namespace}, "name": {result.Deployment.Name}, "ts": {result.Started.Format(time.RFC3339)},
		"mode": {"tracing [full tree]"},
	}
	get := func(path string) (code int, header http.Header, body string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.http+path+"?"+query.Encode(), nil)
		require.NoError(t, err)
		response, err := noRedirects.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, response.Header, string(text)
	}
	code, header, _ := get("/redirect")
	require.Equal(t, http.StatusFound, code)
	page, id, ok := strings.Cut(header.Get("Location"), "/trace/")
	require.True(t, ok)
	assert.Equal(t, b.jaeger.URL, page)
	trace, err := b.jaeger.Trace(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, result.Deployment.Name, nameOf(trace.Roots()[0]))

	query.Set("format", "text")
	code, header, text := get("/trace")
	require.Equal(t, http.StatusOK, code, text)
	assert.Equal(t, id, header.Get("Trace-Id"))
	for _, want := range append([]testbed.Object{result.Deployment}, append(result.ReplicaSets, result.Pods...)...) {
		assert.Contains(t, text, want.Name)
	}
	t.Log("\n" + text)
}
