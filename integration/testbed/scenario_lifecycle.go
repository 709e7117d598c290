// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// BindClaim creates a PersistentVolumeClaim for which there is no volume, and once its controller has said so the PersistentVolume
// <namespace>-<name>. It returns that volume's name when it is bound.
func BindClaim(ctx context.Context, u *User, namespace, name string) (volume string, err error) {
	access := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	volume = namespace + "-" + name
	_, err = u.Client.CoreV1().PersistentVolumeClaims(namespace).Create(ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: access, Resources: corev1.VolumeResourceRequirements{Requests: size}, StorageClassName: new(namespace),
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return volume, fmt.Errorf("create claim %s: %w", name, err)
	}
	err = poll(ctx, func(ctx context.Context) (bool, error) {
		events, err := u.Client.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "regarding.name=" + name})
		return err == nil && len(events.Items) > 0, err
	})
	if err != nil {
		return volume, fmt.Errorf("wait for what is said of claim %s: %w", name, err)
	}
	_, err = u.Client.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: volume},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes: access, Capacity: size, StorageClassName: namespace, PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/nowhere"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return volume, fmt.Errorf("create volume %s: %w", volume, err)
	}
	err = awaitObject(ctx, u.Client.CoreV1().RESTClient(), "persistentvolumeclaims", namespace, name, &corev1.PersistentVolumeClaim{},
		func(claim *corev1.PersistentVolumeClaim) bool {
			return claim != nil && claim.Status.Phase == corev1.ClaimBound
		})
	if err != nil {
		return volume, fmt.Errorf("wait until claim %s is bound: %w", name, err)
	}
	return volume, nil
}

// EditConfigMap creates a ConfigMap with a label, changes the label, adds a key, and deletes it.
func EditConfigMap(ctx context.Context, u *User, namespace, name string) error {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	m := configMap(name, map[string]string{"a": "1"})
	m.Labels = map[string]string{"tier": "test"}
	if _, err := configMaps.Create(ctx, m, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create configmap %s: %w", name, err)
	}
	for _, patch := range []string{`{"metadata":{"labels":{"tier":"prod"}}}`, `{"data":{"b":"2"}}`} {
		if _, err := configMaps.Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("patch configmap %s: %w", name, err)
		}
	}
	if err := configMaps.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete configmap %s: %w", name, err)
	}
	return nil
}

// HoldByFinalizer creates a ConfigMap with a finalizer and deletes it, which does nothing but mark it, and lets it go as somebody else.
func HoldByFinalizer(ctx context.Context, u, releaser *User, namespace, name, finalizer string) error {
	configMaps := u.Client.CoreV1().ConfigMaps(namespace)
	m := configMap(name, nil)
	m.Finalizers = []string{finalizer}
	if _, err := configMaps.Create(ctx, m, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create configmap %s: %w", name, err)
	}
	if err := configMaps.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete configmap %s: %w", name, err)
	}
	held, err := configMaps.Get(ctx, name, metav1.GetOptions{})
	if err == nil && held.DeletionTimestamp == nil {
		err = fmt.Errorf("it is not marked")
	}
	if err != nil {
		return fmt.Errorf("look at configmap %s: %w", name, err)
	}
	_, err = releaser.Client.CoreV1().ConfigMaps(namespace).
		Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("release configmap %s: %w", name, err)
	}
	return nil
}

// DeleteNamespaceWith deletes a namespace in which there is a ConfigMap that it makes first, and returns when it is gone.
func DeleteNamespaceWith(ctx context.Context, u *User, namespace, name string) error {
	if _, err := u.Client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(name, map[string]string{"a": "1"}), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create configmap %s: %w", name, err)
	}
	if err := u.Client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete namespace %s: %w", namespace, err)
	}
	err := poll(ctx, func(ctx context.Context) (bool, error) {
		_, err := u.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	if err != nil {
		return fmt.Errorf("wait until namespace %s is gone: %w", namespace, err)
	}
	return nil
}

// Report makes an Event on an object, as a controller does.
func Report(ctx context.Context, u *User, regarding corev1.ObjectReference, reason, note string) error {
	_, err := u.Client.EventsV1().Events(regarding.Namespace).Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: regarding.Name + "-"}, EventTime: metav1.NowMicro(),
		ReportingController: "example.com/" + u.Name, ReportingInstance: u.Name + "-0",
		Action: "Reporting", Reason: reason, Note: note, Type: corev1.EventTypeNormal, Regarding: regarding,
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("report on %s: %w", regarding.Name, err)
	}
	return nil
}
