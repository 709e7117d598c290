// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package objectspan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

var pod = Resource{
	Object: identity.Object{Cluster: "prod", Resource: "pods", Namespace: "default", Name: "demo"},
	Kind:   "Pod", APIVersion: "v1", UID: "u-1",
}

func TestReadResourceReadsWhatCopyToWrote(t *testing.T) {
	for _, want := range []Resource{
		pod,
		{Object: identity.Object{Cluster: "prod", Group: "apps", Resource: "deployments", Namespace: "d", Name: "n"}, Kind: "Deployment", APIVersion: "apps/v1"},
		{Object: identity.Object{Cluster: "prod", Resource: "namespaces", Name: "n"}, Kind: "Namespace", APIVersion: "v1", UID: "u"},
		{Object: identity.Object{Cluster: "prod", Resource: "pods", Namespace: "d"}, Kind: "Pod", APIVersion: "v1"}, // a collection
		{Object: identity.Object{Cluster: "prod", Group: "example.com", Resource: "things", Name: "n"}},
	} {
		attrs := pcommon.NewMap()
		want.CopyTo(attrs)
		got, ok := ReadResource(attrs)
		assert.True(t, ok)
		assert.Equal(t, want, got)
	}
}

func TestCopyToNamesTheObjectAsTheSemanticConventionsDo(t *testing.T) {
	attrs := pcommon.NewMap()
	pod.CopyTo(attrs)
	assert.Equal(t, map[string]any{
		"service.name": "prod", "k8s.cluster.name": "prod", "k8s.namespace.name": "default",
		"k8s.object.kind": "Pod", "k8s.object.name": "demo", "k8s.object.uid": "u-1", "k8s.object.api_version": "v1",
		"k8s.object.group": "", "k8s.object.resource": "pods", "kelemetry.object.id": identity.ObjectID(pod.Object).String(),
		"k8s.pod.name": "demo", "k8s.pod.uid": "u-1",
	}, attrs.AsRaw())
}

func TestReadResourceUnderstandsOtherSources(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs map[string]any
		want  identity.Object
		ok    bool
	}{
		"kind and apiVersion": {
			map[string]any{"k8s.cluster.name": "c", "k8s.object.kind": "Deployment", "k8s.object.api_version": "apps/v1", "k8s.object.name": "n", "k8s.namespace.name": "d"},
			identity.Object{Cluster: "c", Group: "apps", Resource: "deployments", Namespace: "d", Name: "n"},
			true,
		},
		"unknown kind": {
			map[string]any{"k8s.cluster.name": "c", "k8s.object.kind": "Policy", "k8s.object.api_version": "example.com/v1", "k8s.object.name": "n"},
			identity.Object{Cluster: "c", Group: "example.com", Resource: "policies", Name: "n"},
			true,
		},
		"no cluster": {
			map[string]any{"service.name": "shop", "k8s.object.resource": "pods", "k8s.object.name": "n", "k8s.namespace.name": "d"},
			identity.Object{Resource: "pods", Namespace: "d", Name: "n"},
			true,
		},
		"a node in a namespace": {
			map[string]any{"k8s.cluster.name": "c", "k8s.object.kind": "Node", "k8s.object.name": "n", "k8s.namespace.name": "d"},
			identity.Object{Cluster: "c", Resource: "nodes", Name: "n"},
			true,
		},
		"no name": {
			map[string]any{"k8s.cluster.name": "c", "k8s.object.kind": "Pod"},
			identity.Object{Cluster: "c", Resource: "pods"},
			false,
		},
		"something else": {map[string]any{"service.name": "shop", "k8s.pod.name": "p"}, identity.Object{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := pcommon.NewMap()
			require.NoError(t, attrs.FromRaw(tt.attrs))
			got, ok := ReadResource(attrs)
			assert.Equal(t, tt.ok, ok)
			assert.Equal(t, tt.want, got.Object)
		})
	}
}

func TestBatchHasOneResourcePerObject(t *testing.T) {
	other := pod
	other.Name = "other"
	start := time.Date(2026, 1, 2, 3, 45, 0, 0, time.UTC)
	b := NewBatch(identity.DefaultWindow, "scope", "v1")
	for _, r := range []Resource{pod, other, pod, pod} {
		b.Append(r, attr.SpanTypeAudit, start, start.Add(-time.Second))
	}
	traces := b.Traces()
	require.Equal(t, 2, traces.ResourceSpans().Len())
	require.Equal(t, 4, traces.SpanCount())
	assert.Equal(t, 3, traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().Len())

	span := traces.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(0)
	assert.Equal(t, identity.TraceID(other.Object, time.Date(2026, 1, 2, 3, 30, 0, 0, time.UTC)), span.TraceID())
	assert.Equal(t, span.StartTimestamp(), span.EndTimestamp(), "a span does not end before it starts")
	assert.True(t, span.ParentSpanID().IsEmpty())
}
