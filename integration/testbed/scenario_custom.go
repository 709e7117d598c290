// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// Shops is a custom type that [DefineShops] defines.
var Shops = schema.GroupVersionResource{Group: "testbed.example.com", Version: "v1", Resource: "shops"}

// DefineShops makes the CustomResourceDefinition of Shops, a namespaced type with the subresource status, and returns when it is served.
func DefineShops(ctx context.Context, u *User) error {
	client, err := dynamic.NewForConfig(u.Config)
	if err != nil {
		return fmt.Errorf("define shops: %w", err)
	}
	definitions := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	anything := map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
	_, err = client.Resource(definitions).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": Shops.Resource + "." + Shops.Group},
		"spec": map[string]any{
			"group": Shops.Group, "scope": "Namespaced",
			"names": map[string]any{"kind": "Shop", "plural": Shops.Resource, "singular": "shop", "listKind": "ShopList"},
			"versions": []any{map[string]any{
				"name": Shops.Version, "served": true, "storage": true, "schema": anything, "subresources": map[string]any{"status": map[string]any{}},
			}},
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("define shops: %w", err)
	}
	err = poll(ctx, func(ctx context.Context) (bool, error) {
		_, err := client.Resource(Shops).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("wait for shops to be served: %w", err)
	}
	return nil
}

// RunShop creates a Shop, a Shop <name>-branch that it owns, and a ConfigMap <name>-stock that the branch owns, as an operator would.
// It changes the first one's size from 1 to 2, has its status say so and an Event too, and deletes it: the others follow.
func RunShop(ctx context.Context, u *User, namespace, name string) error {
	client, err := dynamic.NewForConfig(u.Config)
	if err != nil {
		return fmt.Errorf("run shop %s: %w", name, err)
	}
	shops := client.Resource(Shops).Namespace(namespace)
	create := func(name string, owner []metav1.OwnerReference) (*unstructured.Unstructured, error) {
		shop := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": Shops.GroupVersion().String(), "kind": "Shop", "spec": map[string]any{"size": int64(1)},
		}}
		shop.SetName(name)
		shop.SetOwnerReferences(owner)
		return shops.Create(ctx, shop, metav1.CreateOptions{})
	}
	shop, err := create(name, nil)
	if err != nil {
		return fmt.Errorf("create shop %s: %w", name, err)
	}
	branch, err := create(name+"-branch", []metav1.OwnerReference{*metav1.NewControllerRef(shop, shop.GroupVersionKind())})
	if err != nil {
		return fmt.Errorf("create the branch of shop %s: %w", name, err)
	}
	stock := configMap(name+"-stock", nil)
	stock.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(branch, branch.GroupVersionKind())}
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	if _, err := configMaps.Create(ctx, stock, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create the stock of shop %s: %w", name, err)
	}
	if _, err := shops.Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"size":2}}`), metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("enlarge shop %s: %w", name, err)
	}
	if _, err := shops.Patch(ctx, name, types.MergePatchType, []byte(`{"status":{"open":true}}`), metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("open shop %s: %w", name, err)
	}
	regarding := corev1.ObjectReference{
		APIVersion: Shops.GroupVersion().String(), Kind: "Shop", Namespace: namespace, Name: name, UID: shop.GetUID(),
	}
	if err := Report(ctx, u, regarding, "Opened", "The shop is open."); err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	if err := shops.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		return fmt.Errorf("delete shop %s: %w", name, err)
	}
	err = awaitObject(ctx, u.Client.CoreV1().RESTClient(), "configmaps", namespace, stock.Name, &corev1.ConfigMap{}, func(m *corev1.ConfigMap) bool { return m == nil })
	if err != nil {
		return fmt.Errorf("wait until the stock of shop %s is gone: %w", name, err)
	}
	return nil
}
