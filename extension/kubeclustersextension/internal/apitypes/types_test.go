// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package apitypes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/internal/kinds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOfflineKnowsEveryBuiltInTypeBothWays(t *testing.T) {
	for _, want := range kinds.All() {
		if want.Group == "apps" || want.Group == "" {
			mapping, err := Offline().mapper.RESTMapping(schema.GroupKind{Group: want.Group, Kind: want.Kind})
			require.NoError(t, err)
			assert.Equal(t, "v1", mapping.Resource.Version, "%v", want)
		}
		mapping, err := Offline().mapper.RESTMapping(schema.GroupKind{Group: want.Group, Kind: want.Kind})
		require.NoError(t, err, "%v", want)
		assert.Equal(t, want.Resource, mapping.Resource.Resource)
		assert.Equal(t, want.Namespaced, mapping.Scope.Name() == "namespace")

		kind, err := Offline().mapper.KindFor(schema.GroupVersionResource{Group: want.Group, Resource: want.Resource})
		require.NoError(t, err, "%v", want)
		assert.Equal(t, want.Kind, kind.Kind)

		resource, ok := Offline().Resource(schema.GroupResource{Group: want.Group, Resource: want.Resource})
		require.True(t, ok, "%v", want)
		assert.Equal(t, mapping.Resource, resource.GroupVersionResource)
		assert.Equal(t, want.Kind, resource.Kind)
	}
}

func TestCoreComesFirst(t *testing.T) {
	kind, err := Offline().mapper.KindFor(schema.GroupVersionResource{Resource: "events"})
	require.NoError(t, err)
	assert.Equal(t, schema.GroupVersionKind{Version: "v1", Kind: "Event"}, kind)
}

func group(name string, versions ...string) *metav1.APIGroup {
	g := &metav1.APIGroup{Name: name}
	for _, v := range versions {
		gv := schema.GroupVersion{Group: name, Version: v}
		g.Versions = append(g.Versions, metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: v})
	}
	g.PreferredVersion = g.Versions[0]
	return g
}

func listOf(groupVersion string, resources ...metav1.APIResource) *metav1.APIResourceList {
	return &metav1.APIResourceList{GroupVersion: groupVersion, APIResources: resources}
}

func resource(plural, kind string, verbs ...string) metav1.APIResource {
	return metav1.APIResource{Name: plural, Kind: kind, Namespaced: true, Verbs: verbs}
}

func TestResourceIsAtThePreferredVersionThatHasIt(t *testing.T) {
	types := Discovered([]*metav1.APIGroup{group("example.com", "v1", "v2alpha1")}, []*metav1.APIResourceList{
		listOf("example.com/v2alpha1", resource("widgets", "Widget", "get"), resource("gears", "Gear", "create"), resource("gears/status", "Gear", "get")),
		listOf("example.com/v1", resource("widgets", "Widget", "get")),
	}, nil, nil)

	widgets, ok := types.Resource(schema.GroupResource{Group: "example.com", Resource: "widgets"})
	require.True(t, ok)
	assert.Equal(t, "v1", widgets.Version)
	assert.True(t, widgets.Gettable)
	gears, ok := types.Resource(schema.GroupResource{Group: "example.com", Resource: "gears"})
	require.True(t, ok)
	assert.Equal(t, "v2alpha1", gears.Version)
	assert.False(t, gears.Gettable)
	for _, unknown := range []schema.GroupResource{{Group: "example.com", Resource: "gears/status"}, {Resource: "widgets"}, {Group: "example", Resource: "widgets"}} {
		_, ok := types.Resource(unknown)
		assert.False(t, ok, "%v", unknown)
	}
}

func TestWhatCouldNotBeDiscoveredThisTimeStaysAsItWas(t *testing.T) {
	before := Discovered([]*metav1.APIGroup{group("a.io", "v1", "v2"), group("b.io", "v1"), group("gone.io", "v1")}, []*metav1.APIResourceList{
		listOf("a.io/v1", resource("ones", "One", "get")), listOf("a.io/v2", resource("twos", "Two", "get")),
		listOf("b.io/v1", resource("threes", "Three", "get")), listOf("gone.io/v1", resource("fours", "Four", "get")),
	}, nil, nil)
	after := Discovered([]*metav1.APIGroup{group("a.io", "v1")}, []*metav1.APIResourceList{listOf("a.io/v1", resource("ones", "One", "get"))},
		map[schema.GroupVersion]error{{Group: "a.io", Version: "v2"}: assert.AnError, {Group: "b.io", Version: "v1"}: assert.AnError}, before)

	for kind, known := range map[schema.GroupKind]bool{
		{Group: "a.io", Kind: "One"}: true, {Group: "a.io", Kind: "Two"}: true, {Group: "b.io", Kind: "Three"}: true, {Group: "gone.io", Kind: "Four"}: false,
	} {
		_, err := after.mapper.RESTMapping(kind)
		assert.Equal(t, known, err == nil, "%v: %v", kind, err)
	}
	_, err := before.mapper.RESTMapping(schema.GroupKind{Group: "gone.io", Kind: "Four"})
	assert.NoError(t, err, "what was made before does not change")
}
