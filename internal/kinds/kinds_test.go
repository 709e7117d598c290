// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryBuiltInTypeIsFoundByKindAndByResource(t *testing.T) {
	require.NotEmpty(t, All())
	for _, want := range All() {
		got, ok := ByKind(want.Group, want.Kind)
		assert.True(t, ok)
		assert.Equal(t, want, got)

		got, ok = ByResource(want.Group, want.Resource)
		assert.True(t, ok)
		assert.Equal(t, want, got)
	}
}

func TestTypesThatPeopleWorkWith(t *testing.T) {
	for _, want := range []Type{
		{"", "Pod", "pods", true},
		{"", "Node", "nodes", false},
		{"", "Namespace", "namespaces", false},
		{"", "Endpoints", "endpoints", true},
		{"apps", "Deployment", "deployments", true},
		{"networking.k8s.io", "Ingress", "ingresses", true},
		{"networking.k8s.io", "NetworkPolicy", "networkpolicies", true},
		{"storage.k8s.io", "StorageClass", "storageclasses", false},
		{"apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false},
	} {
		got, ok := ByKind(want.Group, want.Kind)
		assert.True(t, ok, want.Kind)
		assert.Equal(t, want, got)
	}
}

func TestUnknownTypes(t *testing.T) {
	_, ok := ByKind("example.com", "Pod")
	assert.False(t, ok)
	_, ok = ByResource("", "podz")
	assert.False(t, ok)
	for kind, want := range map[string]string{"Widget": "widgets", "Policy": "policies", "Ingress": "ingresses", "Gateway": "gateways", "VirtualService": "virtualservices", "Kafka": "kafkas", "Redis": "redis", "Class": "classes"} {
		assert.Equal(t, want, GuessResource(kind))
	}
}
