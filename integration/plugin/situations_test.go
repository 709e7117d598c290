// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package plugin

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// orphan is a Pod whose owners are gone, as it is itself, when something is told of it that does not tell its owners.
type orphan struct{ cron, job, pod, late string }

// outliveOwners runs a CronJob once and deletes it, and when nothing is left, it posts an audit event of level Metadata about the Pod. That is
// situation 11.
func (b *bed) outliveOwners(t *testing.T) orphan {
	t.Helper()
	const cron, namespace = "short", "short-lived"
	alice := b.prod.Alice
	require.NoError(t, b.prod.CreateNamespace(t.Context(), alice, namespace))
	job, pod, err := testbed.RunCronJob(t.Context(), alice, namespace, cron)
	require.NoError(t, err)
	background := metav1.DeletePropagationBackground
	require.NoError(t, alice.Client.BatchV1().CronJobs(namespace).Delete(t.Context(), cron, metav1.DeleteOptions{PropagationPolicy: &background}))
	require.Eventually(t, func() bool {
		_, jobErr := alice.Client.BatchV1().Jobs(namespace).Get(t.Context(), job.Name, metav1.GetOptions{})
		_, podErr := alice.Client.CoreV1().Pods(namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(jobErr) && apierrors.IsNotFound(podErr)
	}, patience, 50*time.Millisecond, "the Pod is gone")

	o := orphan{cron, job.Name, pod.Name, "told-late"}
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	b.post(t, "prod", fmt.Appendf(nil, `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":%q,"stage":"ResponseComplete","verb":"patch",`+
		`"requestURI":"/x","user":{"username":"system:node:node-0"},"objectRef":{"resource":"pods","namespace":%q,"name":%q,"apiVersion":"v1","subresource":"status"},`+
		`"responseStatus":{"code":404},"requestReceivedTimestamp":%q,"stageTimestamp":%q}`, o.late, namespace, o.pod, now, now))
	return o
}

// requireUnderItsOwners: wherever one comes from, the Pod is below its Job, which is below its CronJob, with all that happened to it.
func (p *page) requireUnderItsOwners(t *testing.T, o orphan) {
	for _, test := range []struct{ mode, resource, name string }{
		{"tracing [ancestors]", "pods", o.pod},
		{"tracing [owned objects]", "cronjobs", o.cron},
		{"tracing [full tree]", "jobs", o.job},
	} {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			traces, err := p.search(t, test.mode, map[string]string{"resource": test.resource, "namespace": "short-lived", "name": test.name})
			require.NoError(c, err)
			require.Len(c, traces, 1)
			trace := traces[0]
			require.Len(c, trace.Roots(), 1, "%s", trace)
			at := trace.Roots()[0]
			for i, want := range []string{o.cron, o.job, o.pod} {
				assert.Equal(c, want, nameOf(at), "%s", trace)
				assert.Empty(c, at.Warnings)
				if i < 2 {
					require.Len(c, trace.Children(at), 1, "%s", trace)
					at = trace.Children(at)[0]
				}
			}
			require.Len(c, trace.Spans, 3, "%s", trace)
			var titles []string
			late := 0
			for _, log := range at.Logs {
				titles = append(titles, fmt.Sprint(log.Fields["event"]))
				if log.Fields["k8s.audit.id"] == o.late {
					late++
				}
			}
			assert.Equal(c, 1, late, "what was told when all were gone: %v", titles)
			for _, want := range []string{"job-controller create", "kube-scheduler create binding", "Scheduled"} {
				assert.Contains(c, titles, want)
			}
		}, patience, 500*time.Millisecond, test.mode)
	}
}

// twins are two objects, of which one owns the other, by cluster.
type twins map[string]struct{ owner, owned string } // UIDs

// makeTwins makes objects by the same names in both clusters, which post to one webhook. That is situation 16.
func (b *bed) makeTwins(t *testing.T) twins {
	t.Helper()
	all := twins{}
	for cluster, user := range map[string]*testbed.User{"prod": b.prod.Alice, "hub": b.hub.Bob} {
		configMaps := user.Client.CoreV1().ConfigMaps("default")
		owner, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "twin"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		owned, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: "twin-part", OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, corev1.SchemeGroupVersion.WithKind("ConfigMap"))},
		}}, metav1.CreateOptions{})
		require.NoError(t, err)
		all[cluster] = struct{ owner, owned string }{string(owner.UID), string(owned.UID)}
	}
	return all
}

// requireTwins: each cluster has a view of its own, of its own objects, to which its own user did something, and nobody else.
func (p *page) requireTwins(t *testing.T, all twins) {
	users := map[string]string{"prod": "alice", "hub": "bob"}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		everywhere, err := p.searchIn(t, "", "tracing [full tree, links]", map[string]string{"resource": "configmaps", "namespace": "default", "name": "twin"})
		require.NoError(c, err)
		require.Len(c, everywhere, len(all))
		for cluster, uids := range all {
			found, err := p.searchIn(t, cluster, "tracing [full tree, links]", map[string]string{"resource": "configmaps", "namespace": "default", "name": "twin"})
			require.NoError(c, err)
			require.Len(c, found, 1)
			trace := found[0]
			assert.True(c, slices.ContainsFunc(everywhere, func(other testbed.Trace) bool { return other.ID == trace.ID }))
			require.Len(c, trace.Roots(), 1)
			root := trace.Roots()[0]
			require.Len(c, trace.Children(root), 1, "%s", trace)
			require.Len(c, trace.Spans, 2, "%s", trace)
			for uid, span := range map[string]testbed.Span{uids.owner: root, uids.owned: trace.Children(root)[0]} {
				assert.Equal(c, cluster, span.Process["k8s.cluster.name"])
				assert.Equal(c, uid, span.Process["k8s.object.uid"])
				assert.Empty(c, span.Warnings)
				var titles []any
				for _, log := range span.Logs {
					titles = append(titles, log.Fields["event"])
				}
				assert.Equal(c, []any{users[cluster] + " create"}, titles, "of %s", cluster)
			}
		}
	}, patience, 500*time.Millisecond)
}
