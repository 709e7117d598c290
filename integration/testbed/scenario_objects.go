// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// UpdateStale creates a ConfigMap, updates it, and updates it again as if it had not changed: a 409 Conflict.
func UpdateStale(ctx context.Context, u *User, namespace, name string) error {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	stale, err := configMaps.Create(ctx, configMap(name, map[string]string{"step": "created"}), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("update with a stale version: %w", err)
	}
	fresh := stale.DeepCopy()
	fresh.Data["step"] = "updated"
	if _, err := configMaps.Update(ctx, fresh, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("update with a stale version: %w", err)
	}
	stale.Data["step"] = "refused"
	_, err = configMaps.Update(ctx, stale, metav1.UpdateOptions{})
	return expectStatus("update with a stale version", err, apierrors.IsConflict)
}

// DoForbidden tries, as a user without rights, to create a ConfigMap and to delete it: two 403 Forbidden.
func DoForbidden(ctx context.Context, u *User, namespace, name string) error {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	_, err := configMaps.Create(ctx, configMap(name, nil), metav1.CreateOptions{})
	return errors.Join(
		expectStatus("create without rights", err, apierrors.IsForbidden),
		expectStatus("delete without rights", configMaps.Delete(ctx, name, metav1.DeleteOptions{}), apierrors.IsForbidden),
	)
}

// CreateInvalid sends a ConfigMap with a bad name: a 422 Invalid, with a cause.
func CreateInvalid(ctx context.Context, u *User, namespace string) error {
	_, err := u.Client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("Not_A_Name", nil), metav1.CreateOptions{})
	return expectStatus("create an invalid object", err, apierrors.IsInvalid)
}

// CreateGenerateName creates a ConfigMap for which kube-apiserver chooses the name, and returns it.
func CreateGenerateName(ctx context.Context, u *User, namespace, prefix string) (Object, error) {
	m := configMap("", map[string]string{"key": "value"})
	m.GenerateName = prefix
	created, err := u.Client.CoreV1().ConfigMaps(namespace).Create(ctx, m, metav1.CreateOptions{})
	if err != nil {
		return Object{}, fmt.Errorf("create with generateName: %w", err)
	}
	return seen(created), nil
}

// UpdateNothing creates a ConfigMap and updates it to what it is: the resourceVersion stays.
func UpdateNothing(ctx context.Context, u *User, namespace, name string) error {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	created, err := configMaps.Create(ctx, configMap(name, map[string]string{"key": "value"}), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("update without a change: %w", err)
	}
	updated, err := configMaps.Update(ctx, created, metav1.UpdateOptions{})
	if err != nil {
		return fmt.Errorf("update without a change: %w", err)
	}
	if updated.ResourceVersion != created.ResourceVersion {
		return errors.New("update without a change: the resourceVersion changed")
	}
	return nil
}

// CreateDryRun creates a ConfigMap that then does not exist.
func CreateDryRun(ctx context.Context, u *User, namespace, name string) error {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	if _, err := configMaps.Create(ctx, configMap(name, nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		return fmt.Errorf("create as dry run: %w", err)
	}
	found, err := exists(configMaps.Get(ctx, name, metav1.GetOptions{}))
	if err == nil && found {
		err = errors.New("the object exists")
	}
	if err != nil {
		return fmt.Errorf("create as dry run: %w", err)
	}
	return nil
}

// DeleteConfigMaps creates n ConfigMaps, deletes all in one request by their label, and returns them.
func DeleteConfigMaps(ctx context.Context, u *User, namespace, label string, n int) ([]Object, error) {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	var objects []Object
	for i := range n {
		m := configMap(fmt.Sprintf("%s-%d", label, i), nil)
		m.Labels = map[string]string{"group": label}
		created, err := configMaps.Create(ctx, m, metav1.CreateOptions{})
		if err != nil {
			return nil, fmt.Errorf("delete a collection: %w", err)
		}
		objects = append(objects, seen(created))
	}
	if err := configMaps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "group=" + label}); err != nil {
		return nil, fmt.Errorf("delete a collection: %w", err)
	}
	return objects, nil
}

// Recreate creates a ConfigMap, deletes it, and at once creates another of the same name. It returns both.
func Recreate(ctx context.Context, u *User, namespace, name string) (first, second Object, err error) {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	var lives [2]Object
	for i := range lives {
		if i > 0 {
			if err := configMaps.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
				return first, second, fmt.Errorf("recreate: %w", err)
			}
		}
		created, err := configMaps.Create(ctx, configMap(name, map[string]string{"life": fmt.Sprint(i + 1)}), metav1.CreateOptions{})
		if err != nil {
			return first, second, fmt.Errorf("recreate: %w", err)
		}
		lives[i] = seen(created)
	}
	return lives[0], lives[1], nil
}

// CreateImpersonating creates a ConfigMap as somebody else, who is in system:masters. The user needs the right to impersonate.
func CreateImpersonating(ctx context.Context, u *User, as, namespace, name string) error {
	config := rest.CopyConfig(u.Config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: as,
		Groups:   []string{"system:masters"},
		Extra:    map[string][]string{"reason": {"test"}},
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("impersonate %s: %w", as, err)
	}
	if _, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(name, nil), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("impersonate %s: %w", as, err)
	}
	return nil
}

// PatchInEveryWay creates a ConfigMap and patches it by JSON patch, merge patch, strategic merge patch and server-side apply,
// each of which sets one key. Then it applies one that does not exist, which creates it: <name>-applied.
func PatchInEveryWay(ctx context.Context, u *User, namespace, name string) error {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	if _, err := configMaps.Create(ctx, configMap(name, map[string]string{"key": "value"}), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("patch: %w", err)
	}
	apply := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q},"data":{"apply":"yes"}}`
	for _, p := range []struct {
		kind       types.PatchType
		name, body string
	}{
		{types.JSONPatchType, name, `[{"op":"add","path":"/data/json","value":"yes"}]`},
		{types.MergePatchType, name, `{"data":{"merge":"yes"}}`},
		{types.StrategicMergePatchType, name, `{"data":{"strategic":"yes"}}`},
		{types.ApplyYAMLPatchType, name, fmt.Sprintf(apply, name)},
		{types.ApplyYAMLPatchType, name + "-applied", fmt.Sprintf(apply, name+"-applied")},
	} {
		options := metav1.PatchOptions{}
		if p.kind == types.ApplyYAMLPatchType {
			options.FieldManager = "testbed-apply"
		}
		if _, err := configMaps.Patch(ctx, p.name, p.kind, []byte(p.body), options); err != nil {
			return fmt.Errorf("patch as %s: %w", p.kind, err)
		}
	}
	return nil
}
