// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

const (
	manifests = "../../deploy/rbac"
	// namespace and account are those that the manifests name.
	namespace, account = "kelemetry", "kelemetry"
)

// read returns the objects of a folder's kustomization, those of the folders that it names included.
func read(t *testing.T, dir string) []runtime.Object {
	t.Helper()
	var kustomization struct {
		Namespace string   `json:"namespace"`
		Resources []string `json:"resources"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict([]byte(withoutTypeMeta(string(data))), &kustomization))
	var objects []runtime.Object
	for _, resource := range kustomization.Resources {
		path := filepath.Join(dir, resource)
		if filepath.Ext(path) != ".yaml" {
			objects = append(objects, read(t, path)...)
			continue
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(data, nil, nil)
		require.NoError(t, err, path)
		objects = append(objects, object)
	}
	require.NotEmpty(t, objects)
	return objects
}

func withoutTypeMeta(kustomization string) string {
	var kept []string
	for line := range strings.Lines(kustomization) {
		if !strings.HasPrefix(line, "apiVersion:") && !strings.HasPrefix(line, "kind:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestEveryManifestIsInAKustomization(t *testing.T) {
	require.NoError(t, filepath.WalkDir(manifests, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" || d.Name() == "kustomization.yaml" {
			return err
		}
		kustomization, err := os.ReadFile(filepath.Join(filepath.Dir(path), "kustomization.yaml"))
		require.NoError(t, err)
		assert.Contains(t, string(kustomization), "  - "+d.Name()+"\n", path)
		return nil
	}))
}

// TestNobodyMayWriteButLeases: whatever manifests are applied, the account can change nothing but leases in its own namespace, to elect a leader.
func TestNobodyMayWriteButLeases(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(manifests, "*", "kustomization.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	reading := []string{"get", "list", "watch"}
	for _, folder := range folders {
		for _, object := range read(t, filepath.Dir(folder)) {
			var rules []rbacv1.PolicyRule
			switch o := object.(type) {
			case *rbacv1.ClusterRole:
				rules = o.Rules
				assert.Nil(t, o.AggregationRule, "%s: gets whatever others add", o.Name)
			case *rbacv1.Role:
				rules = o.Rules
			}
			for _, rule := range rules {
				if _, namespaced := object.(*rbacv1.Role); namespaced && slices.Equal(rule.Resources, []string{"leases"}) {
					continue
				}
				assert.Subset(t, reading, rule.Verbs, "%s: %v", folder, rule)
			}
		}
	}
}

// hardened starts a cluster in which an account has no rights but those that it is given: by default, every account may
// see which types there are. The account of the manifests is in it, without any.
func hardened(t *testing.T) *testbed.Cluster {
	t.Helper()
	c := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly})
	bindings := c.Admin.Client.RbacV1().ClusterRoleBindings()
	all, err := bindings.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	removed := 0
	for _, binding := range all.Items {
		for _, subject := range binding.Subjects {
			if subject.Name == "system:authenticated" || subject.Name == "system:unauthenticated" || subject.Name == "system:serviceaccounts" {
				require.NoError(t, bindings.Delete(t.Context(), binding.Name, metav1.DeleteOptions{}))
				removed++
				break
			}
		}
	}
	require.GreaterOrEqual(t, removed, 3)
	_, err = c.Admin.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	for _, object := range read(t, manifests) {
		if account, ok := object.(*corev1.ServiceAccount); ok {
			_, err := c.Admin.Client.CoreV1().ServiceAccounts(account.Namespace).Create(t.Context(), account, metav1.CreateOptions{})
			require.NoError(t, err)
		}
	}
	return c
}

// grant creates the roles and bindings of manifests as they are, until the test ends.
func grant(t *testing.T, c *testbed.Cluster, objects []runtime.Object) {
	t.Helper()
	rbac := c.Admin.Client.RbacV1()
	ctx := context.Background() // for what is done when the test has ended, too
	t.Cleanup(func() { awaitRight(t, c, objects, false) })
	for _, object := range objects {
		var err error
		var remove func() error
		switch o := object.(type) {
		case *rbacv1.ClusterRole:
			_, err = rbac.ClusterRoles().Create(ctx, o, metav1.CreateOptions{})
			remove = func() error { return rbac.ClusterRoles().Delete(ctx, o.Name, metav1.DeleteOptions{}) }
		case *rbacv1.ClusterRoleBinding:
			_, err = rbac.ClusterRoleBindings().Create(ctx, o, metav1.CreateOptions{})
			remove = func() error { return rbac.ClusterRoleBindings().Delete(ctx, o.Name, metav1.DeleteOptions{}) }
		case *rbacv1.Role:
			_, err = rbac.Roles(o.Namespace).Create(ctx, o, metav1.CreateOptions{})
			remove = func() error { return rbac.Roles(o.Namespace).Delete(ctx, o.Name, metav1.DeleteOptions{}) }
		case *rbacv1.RoleBinding:
			_, err = rbac.RoleBindings(o.Namespace).Create(ctx, o, metav1.CreateOptions{})
			remove = func() error { return rbac.RoleBindings(o.Namespace).Delete(ctx, o.Name, metav1.DeleteOptions{}) }
		default:
			t.Fatalf("the manifests have a %T", object)
		}
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, remove()) })
	}
	awaitRight(t, c, objects, true)
}

// awaitRight waits until the API server has noticed that the account has the rights of a role, or has them no more. It
// notices all of a role at once, so the first rule stands for them.
func awaitRight(t *testing.T, c *testbed.Cluster, objects []runtime.Object, granted bool) {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: "system:serviceaccount:" + namespace + ":" + account, Groups: []string{"system:authenticated"},
	}}
	for _, object := range objects {
		var rule rbacv1.PolicyRule
		switch o := object.(type) {
		case *rbacv1.ClusterRole:
			rule = o.Rules[0]
		case *rbacv1.Role:
			rule = o.Rules[0]
		default:
			continue
		}
		if len(rule.NonResourceURLs) > 0 {
			review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: rule.NonResourceURLs[0], Verb: rule.Verbs[0]}
		} else {
			review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
				Namespace: namespace, Group: rule.APIGroups[0], Resource: rule.Resources[0], Verb: rule.Verbs[0],
			}
		}
	}
	require.EventuallyWithT(t, func(check *assert.CollectT) {
		answer, err := c.Admin.Client.AuthorizationV1().SubjectAccessReviews().Create(context.Background(), review, metav1.CreateOptions{})
		if assert.NoError(check, err) {
			assert.Equal(check, granted, answer.Status.Allowed)
		}
	}, patience, 10*time.Millisecond)
}

// token logs the account of the manifests in, as the kubelet does for a Pod.
func token(t *testing.T, c *testbed.Cluster) string {
	t.Helper()
	review, err := c.Admin.Client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	return review.Status.Token
}

// without returns a copy of the objects in which the ClusterRole lacks a rule.
func without(objects []runtime.Object, lacks func(rbacv1.PolicyRule) bool) []runtime.Object {
	var changed []runtime.Object
	for _, object := range objects {
		object = object.DeepCopyObject()
		if role, ok := object.(*rbacv1.ClusterRole); ok {
			var kept []rbacv1.PolicyRule
			for _, rule := range role.Rules {
				if !lacks(rule) {
					kept = append(kept, rule)
				}
			}
			role.Rules = kept
		}
		changed = append(changed, object)
	}
	return changed
}
