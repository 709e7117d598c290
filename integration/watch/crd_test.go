// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/kelemetry/kelemetry/internal/attr"
)

var crds = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

const widgetCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  scope: Namespaced
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

// TestCustomResourcesComeAndGoAndChangeVersion is situation 15.
func TestCustomResourcesComeAndGoAndChangeVersion(t *testing.T) {
	w := startWatching(t, bed.Admin.Config, nil)
	const ns = "widgets"
	newNamespace(t, w, ns)
	client, err := dynamic.NewForConfig(bed.Alice.Config)
	require.NoError(t, err)
	definition := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(widgetCRD), &definition.Object))
	_, err = client.Resource(crds).Create(t.Context(), definition, metav1.CreateOptions{})
	require.NoError(t, err)

	old := client.Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1alpha1", Resource: "widgets"}).Namespace(ns)
	create := func(name string) {
		widget := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1alpha1", "kind": "Widget", "metadata": map[string]any{"name": name}, "spec": map[string]any{"size": int64(1)},
		}}
		require.EventuallyWithT(t, func(c *assert.CollectT) { // until the new type is served
			_, err := old.Create(t.Context(), widget, metav1.CreateOptions{})
			assert.True(c, err == nil || apierrors.IsAlreadyExists(err), "%v", err)
		}, patience, 50*time.Millisecond)
	}
	create("one")
	one := w.awaitName(t, "created", "widgets.example.com", ns, "one")
	assert.Equal(t, "example.com/v1alpha1", one.Resource.APIVersion)
	assert.Equal(t, "Widget", one.Resource.Kind)

	// A newer version becomes the preferred one. Objects stay what they are.
	_, err = client.Resource(crds).Patch(t.Context(), "widgets.example.com", types.JSONPatchType, []byte(`[
		{"op":"add","path":"/spec/versions/-","value":{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}},
		{"op":"replace","path":"/spec/versions/0/storage","value":false}]`), metav1.PatchOptions{})
	require.NoError(t, err)
	size := 1
	var changed span
	w.await(t, "not watched as v1", "widgets.example.com", ns, "one", func(span) bool {
		size++
		_, err := old.Patch(t.Context(), "one", types.MergePatchType, fmt.Appendf(nil, `{"spec":{"size":%d}}`, size), metav1.PatchOptions{})
		require.NoError(t, err)
		for _, s := range w.on("widgets.example.com", ns, "one") {
			if s.Resource.APIVersion == "example.com/v1" {
				changed = s
				return true
			}
		}
		return false
	})
	assert.Equal(t, "updated", changed.Span.Name())
	assert.Len(t, changed.diff(), 1, "%s: the version is not a change", changed)
	assert.NotEmpty(t, changed.diff()["spec.size"])
	for i, s := range w.on("widgets.example.com", ns, "one") {
		assert.Equal(t, i == 0, s.Span.Name() == "created", "%s", s)
	}

	require.NoError(t, client.Resource(crds).Delete(t.Context(), "widgets.example.com", metav1.DeleteOptions{}))
	gone := w.awaitName(t, "deleted", "widgets.example.com", ns, "one")
	assert.Contains(t, gone.text(attr.WatchDeletion), "deleted")
	w.awaitName(t, "deleted", "customresourcedefinitions.apiextensions.k8s.io", "", "widgets.example.com")
	assert.Eventually(t, func() bool { return w.host.isHealthy() }, patience, 20*time.Millisecond, "a type that is gone is no failure")
}
