// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kelemetry/kelemetry/internal/identity"
)

func TestObjectOfAReference(t *testing.T) {
	for name, tt := range map[string]struct {
		ref  corev1.ObjectReference
		want identity.Object
		uid  string
	}{
		"built in":                         {corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "a", Name: "n", UID: "u"}, identity.Object{Group: "apps", Resource: "deployments", Namespace: "a", Name: "n"}, "u"},
		"without a namespace of its own":   {corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Name: "n"}, identity.Object{Resource: "pods", Namespace: "events-ns", Name: "n"}, ""},
		"cluster-scoped":                   {corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolume", Name: "n"}, identity.Object{Resource: "persistentvolumes", Name: "n"}, ""},
		"cluster-scoped in a namespace":    {corev1.ObjectReference{APIVersion: "v1", Kind: "Namespace", Namespace: "n", Name: "n"}, identity.Object{Resource: "namespaces", Name: "n"}, ""},
		"UID of a kubelet":                 {corev1.ObjectReference{Kind: "Node", Name: "n", UID: "n"}, identity.Object{Resource: "nodes", Name: "n"}, ""},
		"without apiVersion":               {corev1.ObjectReference{Kind: "StatefulSet", Namespace: "a", Name: "n"}, identity.Object{Group: "apps", Resource: "statefulsets", Namespace: "a", Name: "n"}, ""},
		"another version is the same":      {corev1.ObjectReference{APIVersion: "autoscaling/v2beta2", Kind: "HorizontalPodAutoscaler", Namespace: "a", Name: "n"}, identity.Object{Group: "autoscaling", Resource: "horizontalpodautoscalers", Namespace: "a", Name: "n"}, ""},
		"custom":                           {corev1.ObjectReference{APIVersion: "example.com/v1", Kind: "Cactus", Namespace: "a", Name: "n"}, identity.Object{Group: "example.com", Resource: "cacti", Namespace: "a", Name: "n"}, ""},
		"custom, cluster-scoped":           {corev1.ObjectReference{APIVersion: "example.com/v1", Kind: "Planet", Name: "n"}, identity.Object{Group: "example.com", Resource: "planets", Name: "n"}, ""},
		"unknown":                          {corev1.ObjectReference{APIVersion: "other.example/v1", Kind: "Policy", Namespace: "a", Name: "n"}, identity.Object{Group: "other.example", Resource: "policies", Namespace: "a", Name: "n"}, ""},
		"unknown, probably cluster-scoped": {corev1.ObjectReference{APIVersion: "other.example/v1", Kind: "Policy", Name: "n"}, identity.Object{Group: "other.example", Resource: "policies", Name: "n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tt.want.Cluster = "prod"
			got, ok := objects{"prod", (&fakeCluster{}).Mapper()}.of(&tt.ref, "events-ns")
			assert.True(t, ok)
			assert.Equal(t, tt.want, got.Object)
			assert.Equal(t, tt.uid, got.UID)
			assert.Equal(t, tt.ref.Kind, got.Kind)
		})
	}
}

func TestReferenceToNothing(t *testing.T) {
	for _, ref := range []corev1.ObjectReference{{}, {Kind: "Pod"}, {Name: "n"}} {
		_, ok := objects{"prod", meta.NewDefaultRESTMapper(nil)}.of(&ref, "default")
		assert.False(t, ok)
	}
}
