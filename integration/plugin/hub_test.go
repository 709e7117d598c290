// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package plugin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// linkAcrossClusters makes an object in prod that names one in hub as its parent.
func (b *bed) linkAcrossClusters(t *testing.T) {
	t.Helper()
	_, err := b.hub.Bob.Client.CoreV1().ConfigMaps("default").Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "fleet"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = b.prod.Alice.Client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: "member", Annotations: map[string]string{
			"kelemetry.kubewharf.io/parent-link": `{"cluster":"hub","version":"v1","resource":"configmaps","namespace":"default","name":"fleet"}`,
		},
	}}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// requireLinkAcrossClusters: from either side the other is found, in its cluster, with what happened to it.
func (p *page) requireLinkAcrossClusters(t *testing.T) {
	for name, test := range map[string]struct{ cluster, mode, name, root, below string }{
		"up":        {"prod", "tracing [ancestors]", "member", "hub: fleet", "prod: member"},
		"down":      {"hub", "tracing [owned objects]", "fleet", "hub: fleet", "prod: member"},
		"there":     {"prod", "tracing [links]", "member", "prod: member", "hub: fleet"},
		"back":      {"hub", "tracing [links]", "fleet", "hub: fleet", "prod: member"},
		"full tree": {"hub", "tracing [full tree]", "fleet", "hub: fleet", "prod: member"},
		"as spans":  {"prod", "tree [ancestors]", "member", "hub: fleet", "prod: member"},
	} {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			traces, err := p.searchIn(t, test.cluster, test.mode, map[string]string{"resource": "configmaps", "name": test.name})
			require.NoError(c, err)
			require.Len(c, traces, 1, name)
			require.Len(c, traces[0].Roots(), 1, "%s: %s", name, traces[0])
			root := traces[0].Roots()[0]
			assert.Regexp(c, "^"+test.root+` \d`, root.Operation)
			below := traces[0].Find(func(s testbed.Span) bool { return s.Operation == test.below })
			require.Len(c, below, 1, "%s: %s", name, traces[0])
			assert.Equal(c, root.ID, below[0].ParentID)
			for _, span := range traces[0].Spans {
				assert.Empty(c, span.Warnings)
			}
			titles := map[string]int{}
			for _, e := range read(t, strings.Fields(test.mode)[0], traces[0]).entries {
				titles[e.title]++
			}
			assert.Equal(c, 1, titles["alice create"], "%s: %v", name, titles)
			assert.Equal(c, 1, titles["bob create"], "%s: %v", name, titles)
		}, patience, 500*time.Millisecond)
	}
}

// adoption is of a Pod whose owner was not known at first.
type adoption struct{ replicaSet, pod string }

// adoptLate creates a Pod whose creation is logged without the object, so that nobody knows that a ReplicaSet owns it, and waits until that is
// stored. Then it changes the Pod's status, which is logged with the object.
func (b *bed) adoptLate(t *testing.T) adoption {
	t.Helper()
	client := b.hub.Bob.Client
	a := adoption{"late", "late-1"}
	labels := map[string]string{"app": "late"}
	spec := corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "example.com/app:1.0"}}}
	owner, err := client.AppsV1().ReplicaSets("default").Create(t.Context(), &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: a.replicaSet},
		Spec: appsv1.ReplicaSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.CoreV1().Pods("default").Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: a.pod, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec: spec,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := b.pages["badger"].searchIn(t, "hub", "tracing [ancestors]", map[string]string{"resource": "pods", "name": a.pod})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		assert.Len(c, traces[0].Spans, 1, "its owner is not known: %s", traces[0])
		assert.Equal(c, "pods", traces[0].Spans[0].Service)
	}, patience, 500*time.Millisecond)
	_, err = client.CoreV1().Pods("default").Patch(t.Context(), a.pod, types.MergePatchType, []byte(`{"status":{"phase":"Running"}}`), metav1.PatchOptions{}, "status")
	require.NoError(t, err)
	return a
}

// requireLate: what was stored before the owner was known is shown below the owner too, wherever one comes from.
func (p *page) requireLate(t *testing.T, a adoption) {
	for _, test := range []struct{ mode, resource, name string }{
		{"tracing [ancestors]", "pods", a.pod},
		{"tracing [owned objects]", "replicasets", a.replicaSet},
	} {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			traces, err := p.searchIn(t, "hub", test.mode, map[string]string{"resource": test.resource, "name": test.name})
			require.NoError(c, err)
			require.Len(c, traces, 1)
			require.Len(c, traces[0].Roots(), 1)
			replicaSet := traces[0].Roots()[0]
			assert.Equal(c, a.replicaSet, nameOf(replicaSet), "%s", traces[0])
			pods := traces[0].Children(replicaSet)
			require.Len(c, pods, 1, "%s", traces[0])
			var events []any
			for _, log := range pods[0].Logs {
				events = append(events, log.Fields["event"])
			}
			assert.Equal(c, []any{"bob create", "bob patch status"}, events)
			assert.Empty(c, replicaSet.Warnings)
		}, patience, 500*time.Millisecond, test.mode)
	}
}

// requireTraced: below each request are the spans that the API server itself has of it.
func (b *bed) requireTraced(t *testing.T, a adoption) {
	traced := &page{http: b.traced}
	for _, mode := range []string{"tracing", "tree [apiserver]", "tracing [apiserver]"} {
		query := url.Values{"kind": {"Pod"}, "namespace": {"default"}, "name": {a.pod}, "mode": {mode}}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			code, _, body := traced.get(t, "/trace", query)
			require.Equal(c, http.StatusOK, code, body)
			td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(body))
			require.NoError(c, err)
			entries, spans := map[pcommon.SpanID]string{}, map[string][]string{}
			ids := map[string]string{}
			each := func(visit func(resource pcommon.Map, span ptrace.Span)) {
				for _, resource := range td.ResourceSpans().All() {
					for _, span := range resource.ScopeSpans().At(0).Spans().All() {
						visit(resource.Resource().Attributes(), span)
					}
				}
			}
			each(func(_ pcommon.Map, span ptrace.Span) {
				entries[span.SpanID()] = span.Name()
				if id, ok := span.Attributes().Get("k8s.audit.id"); ok {
					ids[id.Str()] = span.Name()
				}
				_, warned := span.Attributes().Get("@jaeger@warnings")
				assert.False(c, warned, "%v", span.Attributes().AsRaw())
			})
			each(func(resource pcommon.Map, span ptrace.Span) {
				if service, _ := resource.Get("service.name"); service.Str() != "apiserver" {
					return
				}
				parent := entries[span.ParentSpanID()]
				spans[parent] = append(spans[parent], span.Name())
				if id, ok := span.Attributes().Get("audit-id"); ok && mode == "tree [apiserver]" {
					assert.Contains(c, ids, id.Str())
				}
			})
			switch mode {
			case "tracing":
				assert.Empty(c, spans)
			case "tree [apiserver]":
				assert.NotEmpty(c, spans["bob create"], "%v", spans)
				assert.NotEmpty(c, spans["bob patch status"], "%v", spans)
			default:
				assert.NotEmpty(c, spans)
			}
		}, patience, 500*time.Millisecond, mode)
	}
}
