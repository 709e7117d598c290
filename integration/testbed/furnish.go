// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NodeName returns the name of the i-th simulated node, from 0.
func NodeName(i int) string { return fmt.Sprintf("node-%d", i) }

// grantRights gives cluster-admin to each user who is to have all rights, and returns when it has taken effect.
func (c *Cluster) grantRights(ctx context.Context) error {
	for _, u := range c.Users {
		if !u.clusterAdmin {
			continue
		}
		_, err := c.Admin.Client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "testbed:" + u.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: u.Name}},
		}, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("give rights to %s: %w", u.Name, err)
		}
		if err := awaitRights(ctx, u); err != nil {
			return fmt.Errorf("give rights to %s: %w", u.Name, err)
		}
	}
	return nil
}

func awaitRights(ctx context.Context, u *User) error {
	return poll(ctx, func(ctx context.Context) (bool, error) {
		_, err := u.Client.CoreV1().Namespaces().Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
			return apierrors.IsNotFound(err), nil
		}
		return err == nil, err
	})
}

// createNodes makes the nodes and returns when kwok has taken over all of them.
func (c *Cluster) createNodes(ctx context.Context, n int) error {
	nodes := c.Admin.Client.CoreV1().Nodes()
	for i := range n {
		name := NodeName(i)
		_, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name:   name,
			Labels: map[string]string{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
		}}, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("create a node: %w", err)
		}
	}
	for i := range n {
		err := poll(ctx, func(ctx context.Context) (bool, error) {
			node, err := nodes.Get(ctx, NodeName(i), metav1.GetOptions{})
			return err == nil && schedulable(node), err
		})
		if err != nil {
			return fmt.Errorf("wait for %s: %w", NodeName(i), err)
		}
	}
	return nil
}

// schedulable says whether the node is ready and no longer carries the taint that new nodes get.
func schedulable(node *corev1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if taint.Effect == corev1.TaintEffectNoSchedule {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// CreateNamespace makes a namespace as the given user and returns when Pods can be created in it.
func (c *Cluster) CreateNamespace(ctx context.Context, user *User, name string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := user.Client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return c.awaitDefaultServiceAccount(ctx, name)
}

// awaitDefaultServiceAccount returns at once when no controller would make one.
func (c *Cluster) awaitDefaultServiceAccount(ctx context.Context, namespace string) error {
	if !c.runs("kube-controller-manager") {
		return nil
	}
	err := poll(ctx, func(ctx context.Context) (bool, error) {
		return exists(c.Admin.Client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{}))
	})
	if err != nil {
		return fmt.Errorf("wait for the default ServiceAccount of namespace %s: %w", namespace, err)
	}
	return nil
}

func (c *Cluster) runs(process string) bool {
	for _, p := range c.procs {
		if p.name == process {
			return true
		}
	}
	return false
}

// Version returns the version that kube-apiserver reports.
func (c *Cluster) Version() (string, error) {
	v, err := c.Admin.Client.Discovery().ServerVersion()
	if err != nil {
		return "", fmt.Errorf("ask for the version: %w", err)
	}
	return v.GitVersion, nil
}

func exists(_ any, err error) (bool, error) {
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
