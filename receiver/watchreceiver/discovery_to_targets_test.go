// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var served = []*metav1.APIResourceList{
	{GroupVersion: "v1", APIResources: []metav1.APIResource{
		{Name: "pods", Kind: "Pod", Namespaced: true, Verbs: metav1.Verbs{"list", "watch", "get"}},
		{Name: "pods/status", Kind: "Pod", Namespaced: true, Verbs: metav1.Verbs{"list", "watch"}},
		{Name: "bindings", Kind: "Binding", Namespaced: true, Verbs: metav1.Verbs{"create"}},
		{Name: "nodes", Kind: "Node", Verbs: metav1.Verbs{"list", "watch"}},
		{Name: "events", Kind: "Event", Namespaced: true, Verbs: metav1.Verbs{"list", "watch"}},
	}},
	{GroupVersion: "metrics.k8s.io/v1beta1", APIResources: []metav1.APIResource{{Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: metav1.Verbs{"list"}}}},
	{GroupVersion: "example.com/v2", APIResources: []metav1.APIResource{{Name: "widgets", Kind: "Widget", Namespaced: true, Verbs: metav1.Verbs{"list", "watch"}}}},
	{GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{{Name: "widgets", Kind: "Widget", Namespaced: true, Verbs: metav1.Verbs{"list", "watch"}}}},
	{GroupVersion: "not/a/version", APIResources: []metav1.APIResource{{Name: "x", Verbs: metav1.Verbs{"list", "watch"}}}},
}

func TestTargetsAreWhatCanBeWatchedAndIsWanted(t *testing.T) {
	defaults := createDefaultConfig().(*Config)
	for _, c := range []struct {
		name             string
		include, exclude []RuleConfig
		namespaces       []string
		want             []string
	}{
		{name: "by default", exclude: defaults.Exclude, want: []string{"nodes v1", "pods v1", "widgets.example.com v2"}},
		{name: "included", include: []RuleConfig{{Resources: []string{"*.example.com"}}}, want: []string{"widgets.example.com v2"}},
		{
			name: "a rule that asks for more leaves out no resource", exclude: []RuleConfig{{Resources: []string{"*"}, Namespaces: []string{"a"}}, {Resources: []string{"events", "nodes"}}},
			want: []string{"pods v1", "widgets.example.com v2"},
		},
		{
			name: "in namespaces", exclude: defaults.Exclude, namespaces: []string{"a", "b"},
			want: []string{"pods in a v1", "pods in b v1", "widgets.example.com in a v2", "widgets.example.com in b v2"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for key, target := range targetsOf(served, newFilter(c.include, c.exclude), c.namespaces) {
				got = append(got, key.String()+" "+target.Version)
			}
			slices.Sort(got)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestRulesPassObjects(t *testing.T) {
	f := newFilter(
		[]RuleConfig{{Resources: []string{"pods"}, Namespaces: []string{"shop*"}}, {Resources: []string{"nodes"}}},
		[]RuleConfig{{Labels: "skip"}},
	)
	pods, nodes := f.of("pods"), f.of("nodes")
	assert.True(t, pods.passes("shop-1", nil))
	assert.False(t, pods.passes("other", nil))
	assert.False(t, pods.passes("shop", map[string]string{"skip": "1"}))
	assert.True(t, nodes.passes("", nil))
	assert.False(t, nodes.passes("", map[string]string{"skip": ""}))
	assert.Nil(t, newFilter(nil, nil).of("pods"), "nothing to ask")
	assert.True(t, (*filter)(nil).passes("any", nil))
}
