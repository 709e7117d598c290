// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

func TestARollOutIsToldFieldByField(t *testing.T) {
	w := startWatching(t, bed.Admin.Config, nil)
	const ns = "rollout"
	newNamespace(t, w, ns)
	result, err := testbed.RolloutScenario(t.Context(), bed, testbed.RolloutOptions{Namespace: ns, Name: "hello"})
	require.NoError(t, err)
	w.awaitName(t, "deleted", "deployments.apps", ns, "hello")

	t.Run("exactly the changes that were made", func(t *testing.T) {
		scaled := w.await(t, "not scaled", "deployments.apps", ns, "hello", func(s span) bool { return s.diff()["spec.replicas"] != "" })
		assert.Equal(t, map[string]string{"spec.replicas": "2 -> 4"}, scaled.diff())
		assert.Equal(t, "2", scaled.text(attr.ObjectGeneration))
		assert.Equal(t, "1", scaled.text(attr.ObservedGeneration))
		assert.Contains(t, scaled.text(attr.WatchFieldManagers), `"operation":"Update"`)
		assert.NotContains(t, scaled.text(attr.WatchManagers), "kube-controller-manager")

		observed := w.await(t, "not observed", "deployments.apps", ns, "hello", func(s span) bool {
			return s.diff()["status.observedGeneration"] == "1 -> 2"
		})
		assert.Equal(t, "2", observed.text(attr.ObservedGeneration))
		assert.Contains(t, observed.text(attr.WatchManagers), "kube-controller-manager")
		assert.Contains(t, observed.text(attr.WatchFieldManagers), `"subresource":"status"`)

		image := w.await(t, "no new image", "deployments.apps", ns, "hello", func(s span) bool {
			for path := range s.diff() {
				if strings.HasPrefix(path, "spec.template.spec.containers[name=") && strings.HasSuffix(path, "].image") {
					return true
				}
			}
			return false
		})
		assert.Equal(t, "3", image.text(attr.ObjectGeneration))
	})
	t.Run("of every object without a gap", func(t *testing.T) {
		objects := []testbed.Object{result.Deployment}
		objects = append(append(objects, result.ReplicaSets...), result.Pods...)
		require.Greater(t, len(objects), 6)
		for _, o := range objects {
			resource := map[types.UID]string{result.Deployment.UID: "deployments.apps", result.ReplicaSets[0].UID: "replicasets.apps", result.ReplicaSets[1].UID: "replicasets.apps"}[o.UID]
			if resource == "" {
				resource = "pods"
			}
			w.awaitName(t, "deleted", resource, ns, o.Name)
			requireUnbroken(t, w.on(resource, ns, o.Name))
		}
	})
	t.Run("with owners", func(t *testing.T) {
		pod := w.awaitName(t, "created", "pods", ns, result.Pods[0].Name)
		owners, err := identity.ParseOwners(pod.text(attr.Owners))
		require.NoError(t, err)
		require.Len(t, owners, 1)
		assert.Equal(t, "ReplicaSet", owners[0].Kind)
		assert.Equal(t, "[]", w.awaitName(t, "created", "deployments.apps", ns, "hello").text(attr.Owners))
		assert.Contains(t, pod.snapshot(), `"kind":"Pod"`)
		assert.NotContains(t, pod.snapshot(), "managedFields")
	})
}

// requireUnbroken: a life is created, updated from the version before each time, and deleted.
func requireUnbroken(t *testing.T, life []span) {
	t.Helper()
	require.GreaterOrEqual(t, len(life), 2, "%v", life)
	for i, s := range life {
		assert.Empty(t, s.text(attr.WatchInferred), "%s", s)
		switch {
		case i == 0:
			require.Equal(t, "created", s.Span.Name(), "%v", life)
		case i == len(life)-1:
			require.Equal(t, "deleted", s.Span.Name(), "%v", life)
		default:
			require.Equal(t, "updated", s.Span.Name(), "%v", life)
			require.NotEmpty(t, s.text(attr.PreviousResourceVersion))
			require.False(t, s.StartTimestamp().AsTime().Before(life[i-1].StartTimestamp().AsTime()), "%v", life)
		}
	}
}

func TestWhatIsThereAlreadyIsNotCreated(t *testing.T) {
	first := startWatching(t, bed.Admin.Config, nil)
	const ns = "before"
	newNamespace(t, first, ns)
	_, err := bed.Alice.Client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "old"}, Data: map[string]string{"a": "1"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	created := first.awaitName(t, "created", "configmaps", ns, "old").Span
	// A receiver counts by the second, as objects do.
	require.Eventually(t, func() bool { return time.Now().Unix() > created.StartTimestamp().AsTime().Unix() }, patience, 10*time.Millisecond)

	second := startWatching(t, bed.Admin.Config, nil)
	newNamespace(t, second, "before-2")
	_, err = bed.Alice.Client.CoreV1().ConfigMaps(ns).Patch(t.Context(), "old", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"2"}}}`), metav1.PatchOptions{FieldManager: "labeller"})
	require.NoError(t, err)
	span := second.awaitName(t, "updated", "configmaps", ns, "old")
	assert.Len(t, second.on("configmaps", ns, "old"), 1)
	assert.Equal(t, map[string]string{"metadata.labels": `null -> {"a":"2"}`}, span.diff())
	assert.Equal(t, `["labeller"]`, span.text(attr.WatchManagers))

	t.Run("and two receivers give a change the same IDs", func(t *testing.T) {
		other := first.awaitName(t, "updated", "configmaps", ns, "old")
		assert.Equal(t, other.SpanID(), span.SpanID())
		assert.Equal(t, other.TraceID(), span.TraceID())
	})
}

func TestNothingSecretLeaves(t *testing.T) {
	w := startWatching(t, bed.Admin.Config, func(c *watchreceiver.Config) { c.Diff.Verbose = true })
	const ns, marker = "secrets", "do-not-show-me"
	newNamespace(t, w, ns)
	values, err := testbed.HandleSecret(t.Context(), bed.Alice, ns, "key", marker)
	require.NoError(t, err)
	helm, err := testbed.InstallHelmRelease(t.Context(), bed.Alice, ns, "shop", marker)
	require.NoError(t, err)
	w.awaitName(t, "deleted", "secrets", ns, "key")
	w.awaitName(t, "updated", "secrets", ns, "sh.helm.release.v1.shop.v1")

	shown := 0
	for _, s := range w.on("secrets", ns, "key") {
		if text := s.diff()["data.password"]; text != "" {
			assert.Equal(t, `"<redacted>" -> "<redacted>"`, text)
			shown++
		}
	}
	assert.Equal(t, 3, shown, "that the value changed is told")
	all := w.all(t)
	for _, needle := range testbed.Needles(append(values, helm...)...) {
		assert.NotContains(t, all, needle)
	}
	assert.NotRegexp(t, "redacted:[0-9a-f]{8}", all)
}

func TestTwoLivesOfOneName(t *testing.T) {
	w := startWatching(t, bed.Admin.Config, nil)
	const ns = "recreate"
	newNamespace(t, w, ns)
	first, second, err := testbed.Recreate(t.Context(), bed.Alice, ns, "twice")
	require.NoError(t, err)
	w.await(t, "no second life", "configmaps", ns, "twice", func(s span) bool { return s.Resource.UID == string(second.UID) })
	var lives []string
	for _, s := range w.on("configmaps", ns, "twice") {
		lives = append(lives, s.Span.Name()+" "+s.Resource.UID)
	}
	assert.Equal(t, []string{"created " + string(first.UID), "deleted " + string(first.UID), "created " + string(second.UID)}, lives)
}

func TestStepsOfADeletion(t *testing.T) {
	w := startWatching(t, bed.Admin.Config, nil)
	const ns = "finalizers"
	newNamespace(t, w, ns)
	configMaps := bed.Alice.Client.CoreV1().ConfigMaps(ns)
	_, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"example.com/a", "example.com/b"}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, configMaps.Delete(t.Context(), "held", metav1.DeleteOptions{}))
	patch := func(finalizers string) {
		_, err := configMaps.Patch(t.Context(), "held", types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"finalizers":%s}}`, finalizers), metav1.PatchOptions{FieldManager: "releaser"})
		require.NoError(t, err)
	}
	requested := w.await(t, "deletion not requested", "configmaps", ns, "held", func(s span) bool { return strings.Contains(s.text(attr.WatchDeletion), "requested") })
	assert.Equal(t, `["deletion requested"]`, requested.text(attr.WatchDeletion))
	assert.Equal(t, `["example.com/a","example.com/b"]`, requested.text(attr.Finalizers))
	assert.NotEmpty(t, requested.text(attr.DeletionTimestamp))
	patch(`["example.com/b"]`)
	removed := w.await(t, "no finalizer removed", "configmaps", ns, "held", func(s span) bool { return strings.Contains(s.text(attr.WatchDeletion), "removed") })
	assert.Equal(t, `["finalizer removed: example.com/a"]`, removed.text(attr.WatchDeletion))
	assert.Equal(t, `"example.com/a" -> null`, removed.diff()["metadata.finalizers[=example.com/a]"])
	patch(`[]`)
	gone := w.awaitName(t, "deleted", "configmaps", ns, "held")
	assert.Equal(t, `["finalizer removed: example.com/b","deleted"]`, gone.text(attr.WatchDeletion))
}
