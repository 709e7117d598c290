// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

// granted lists the resources that the ClusterRole in a folder grants a verb on.
func granted(t *testing.T, dir, verb string) []schema.GroupResource {
	t.Helper()
	var all []schema.GroupResource
	for _, object := range read(t, filepath.Join(manifests, dir)) {
		role, ok := object.(*rbacv1.ClusterRole)
		if !ok {
			continue
		}
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					if slices.Contains(rule.Verbs, verb) {
						all = append(all, schema.GroupResource{Group: group, Resource: resource})
					}
				}
			}
		}
	}
	return all
}

// resources lists the resources of built-in types that allow some verbs.
func resources(t *testing.T, c *testbed.Cluster, verbs ...string) []schema.GroupVersionResource {
	t.Helper()
	lists, err := c.Admin.Client.Discovery().ServerPreferredResources()
	require.NoError(t, err)
	var all []schema.GroupVersionResource
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		require.NoError(t, err)
		for i := range list.APIResources {
			r := &list.APIResources[i]
			_, builtIn := kinds.ByResource(version.Group, r.Name)
			if builtIn && !slices.ContainsFunc(verbs, func(verb string) bool { return !slices.Contains(r.Verbs, verb) }) {
				all = append(all, version.WithResource(r.Name))
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

// TestRights runs with exactly the rights of the manifests, given to their service account by themselves, in a cluster in
// which nobody has rights by default.
func TestRights(t *testing.T) {
	c := hardened(t)
	t.Run("kube_clusters", func(t *testing.T) { testKubeClusters(t, c) })
	t.Run("object_lookups", func(t *testing.T) { testObjectLookups(t, c) })
	t.Run("k8sevent runs", func(t *testing.T) { testK8sevent(t, c) })
	t.Run("watch runs", func(t *testing.T) { testWatchReceiver(t, c) })
	t.Run("k8sevent", func(t *testing.T) {
		grant(t, c, read(t, filepath.Join(manifests, "k8sevent")))
		testMay(t, c, func(r schema.GroupResource) bool { return r.Group == "events.k8s.io" })
	})
	t.Run("watch", func(t *testing.T) { testWatch(t, c) })
	t.Run("watch_everything", func(t *testing.T) {
		grant(t, c, read(t, filepath.Join(manifests, "watch_everything")))
		testMay(t, c, func(schema.GroupResource) bool { return true })
		_, err := client(t, c).Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("default").
			Get(t.Context(), "x", metav1.GetOptions{})
		assert.True(t, apierrors.IsForbidden(err), "%v", err)
	})
	t.Run("leader_election", func(t *testing.T) { testLeaderElection(t, c) })
}

// testKubeClusters takes rights away, too: without one of them, the extension says which is missing.
func testKubeClusters(t *testing.T, c *testbed.Cluster) {
	all := read(t, filepath.Join(manifests, "kube_clusters"))
	account := asToken(c, token(t, c))
	t.Run("nothing granted", func(t *testing.T) {
		e := startExtension(t, account, nil)
		assert.Contains(t, e.is(recoverable), "the account needs the verb get on the non-resource URLs /api, /api/*, /apis and /apis/*, as ClusterRole system:discovery gives it")
		_, err := e.Mapper().RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
		require.NoError(t, err, "which is known without asking")
		_, err = e.lookUp("pods", "default", "p")
		require.ErrorContains(t, err, "the account needs the verb get on pods")
	})
	t.Run("only discovery granted", func(t *testing.T) {
		grant(t, c, without(all, func(r rbacv1.PolicyRule) bool { return len(r.Resources) > 0 }))
		e := startExtension(t, account, nil)
		assert.Contains(t, e.is(recoverable), "read its UID: look up namespaces kube-system: look-up unavailable: forbidden: the account needs the verb get on namespaces")
		_, err := e.UID(t.Context())
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
		_, err = e.lookUp("widgets.example.com", "default", "w")
		require.ErrorContains(t, err, "the API server has no such resource", "it knows what there is")
	})
	t.Run("only look-ups granted", func(t *testing.T) {
		grant(t, c, without(all, func(r rbacv1.PolicyRule) bool { return len(r.NonResourceURLs) > 0 }))
		e := startExtension(t, account, nil)
		assert.Contains(t, e.is(recoverable), "non-resource URLs")
		_, err := e.lookUp("namespaces", "", "default")
		require.NoError(t, err, "by the versions that are known without asking")
	})
	t.Run("all granted", func(t *testing.T) {
		grant(t, c, all)
		e := startExtension(t, account, map[string]any{"lookups": map[string]any{"qps": 1000, "burst": 1000}}).connected()
		uid, err := e.UID(t.Context())
		require.NoError(t, err)
		assert.NotEmpty(t, uid)
		groups, err := e.Discovery().ServerGroups()
		require.NoError(t, err)
		assert.Greater(t, len(groups.Groups), 15)

		may := granted(t, "kube_clusters", "get")
		for _, r := range resources(t, c, "get") {
			_, err := e.lookUp(r.GroupResource().String(), "default", "none")
			if slices.Contains(may, r.GroupResource()) {
				require.ErrorIs(t, err, kubecluster.ErrNotFound, "%v", r)
			} else {
				require.ErrorIs(t, err, kubecluster.ErrUnavailable, "%v", r)
				require.ErrorContains(t, err, "the account needs the verb get on "+r.GroupResource().String())
			}
		}
		for _, r := range may {
			_, known := kinds.ByResource(r.Group, r.Resource)
			assert.True(t, known, "%v", r)
		}
		assert.NotContains(t, may, schema.GroupResource{Resource: "secrets"})
		assert.NotContains(t, may, schema.GroupResource{Resource: "configmaps"})
	})
}

// testObjectLookups: each built-in resource of the two roles can be looked up as a whole, and nothing else.
func testObjectLookups(t *testing.T, c *testbed.Cluster) {
	grant(t, c, read(t, filepath.Join(manifests, "kube_clusters")))
	grant(t, c, read(t, filepath.Join(manifests, "object_lookups")))
	e := startExtension(t, asToken(c, token(t, c)), map[string]any{"lookups": map[string]any{"qps": 1000, "burst": 1000}}).connected()
	may := append(granted(t, "kube_clusters", "get"), granted(t, "object_lookups", "get")...)
	for _, r := range resources(t, c, "get") {
		_, err := e.Object(t.Context(), r.GroupResource(), "default", "none")
		if slices.Contains(may, r.GroupResource()) {
			require.ErrorIs(t, err, kubecluster.ErrNotFound, "%v", r)
		} else {
			require.ErrorContains(t, err, "the account needs the verb get on "+r.GroupResource().String())
		}
	}
	assert.NotContains(t, may, schema.GroupResource{Resource: "secrets"})
	assert.NotContains(t, may, schema.GroupResource{Resource: "configmaps"})
	text, err := e.Object(t.Context(), schema.GroupResource{Resource: "namespaces"}, "", "default")
	require.NoError(t, err)
	assert.Contains(t, string(text), `"kind":"Namespace"`)
	assert.NotContains(t, string(text), "managedFields")
}

// testWatch: a new version of Kubernetes may have more resources. Then this says what to add.
func testWatch(t *testing.T, c *testbed.Cluster) {
	grant(t, c, read(t, filepath.Join(manifests, "watch")))
	var excluded []string
	for _, rule := range watchreceiver.NewFactory().CreateDefaultConfig().(*watchreceiver.Config).Exclude {
		excluded = append(excluded, rule.Resources...)
	}
	testMay(t, c, func(r schema.GroupResource) bool {
		return !slices.Contains(excluded, r.String()) && r != schema.GroupResource{Resource: "secrets"}
	})
	for _, r := range granted(t, "watch", "watch") {
		_, known := kinds.ByResource(r.Group, r.Resource)
		assert.True(t, known, "%v", r)
	}
}

// testMay checks for each built-in resource that the account may list and watch it, or neither, as it should.
func testMay(t *testing.T, c *testbed.Cluster, should func(schema.GroupResource) bool) {
	t.Helper()
	dyn := client(t, c)
	for _, r := range resources(t, c, "list", "watch") {
		_, err := dyn.Resource(r).List(t.Context(), metav1.ListOptions{Limit: 1})
		w, watchErr := dyn.Resource(r).Watch(t.Context(), metav1.ListOptions{})
		if watchErr == nil {
			w.Stop()
		}
		if should(r.GroupResource()) {
			require.NoError(t, err, "%v", r)
			require.NoError(t, watchErr, "%v", r)
		} else {
			assert.True(t, apierrors.IsForbidden(err), "%v: %v", r, err)
			assert.True(t, apierrors.IsForbidden(watchErr), "%v: %v", r, watchErr)
		}
	}
}

func clientConfig(t *testing.T, c *testbed.Cluster) *rest.Config {
	t.Helper()
	return &rest.Config{Host: c.URL, BearerToken: token(t, c), TLSClientConfig: rest.TLSClientConfig{CAData: c.Admin.Config.CAData}, QPS: -1}
}

// client acts with the rights of the manifests.
func client(t *testing.T, c *testbed.Cluster) *dynamic.DynamicClient {
	t.Helper()
	dyn, err := dynamic.NewForConfig(clientConfig(t, c))
	require.NoError(t, err)
	return dyn
}

// testLeaderElection elects by the library that the extension k8s_leader_elector uses.
func testLeaderElection(t *testing.T, c *testbed.Cluster) {
	grant(t, c, read(t, filepath.Join(manifests, "leader_election")))
	clientset, err := kubernetes.NewForConfig(clientConfig(t, c))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Name: "kelemetry", Namespace: namespace}, Client: clientset.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: "me"},
		},
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 100 * time.Millisecond, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { cancel() },
			OnStoppedLeading: func() {},
		},
	})
	require.NoError(t, err)
	elector.Run(ctx)
	require.ErrorIs(t, ctx.Err(), context.Canceled, "it never led")
	lease, err := c.Admin.Client.CoordinationV1().Leases(namespace).Get(t.Context(), "kelemetry", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Empty(t, *lease.Spec.HolderIdentity, "released, which is an update")
}
