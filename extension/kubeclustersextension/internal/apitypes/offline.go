// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package apitypes // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"

import (
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kelemetry/kelemetry/internal/kinds"
)

// Offline returns the built-in types, as if an API server of the client library's version had been asked.
var Offline = sync.OnceValue(func() *Types {
	byGroup := make(map[string][]kinds.Type)
	var names []string
	for _, t := range kinds.All() {
		if byGroup[t.Group] == nil {
			names = append(names, t.Group)
		}
		byGroup[t.Group] = append(byGroup[t.Group], t)
	}
	var groups []*metav1.APIGroup
	var lists []*metav1.APIResourceList
	for _, name := range names {
		group := &metav1.APIGroup{Name: name}
		for _, version := range versions(name) {
			list := list(version, byGroup[name])
			if len(list.APIResources) == 0 {
				continue
			}
			lists = append(lists, list)
			group.Versions = append(group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: version.String(), Version: version.Version})
		}
		group.PreferredVersion = group.Versions[0]
		groups = append(groups, group)
	}
	return Discovered(groups, lists, nil, nil)
})

// versions lists a group's versions in the order in which API servers prefer them: v2, v1, v1beta1. Groups that the client
// library has no types of have v1.
func versions(group string) []schema.GroupVersion {
	known := scheme.Scheme.PrioritizedVersionsForGroup(group)
	if len(known) == 0 {
		return []schema.GroupVersion{{Group: group, Version: "v1"}}
	}
	slices.SortFunc(known, func(a, b schema.GroupVersion) int {
		return version.CompareKubeAwareVersionStrings(b.Version, a.Version)
	})
	return known
}

func list(version schema.GroupVersion, types []kinds.Type) *metav1.APIResourceList {
	list := &metav1.APIResourceList{GroupVersion: version.String()}
	for _, t := range types {
		if scheme.Scheme.IsGroupRegistered(version.Group) && !scheme.Scheme.Recognizes(version.WithKind(t.Kind)) {
			continue
		}
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: t.Resource, SingularName: strings.ToLower(t.Kind), Kind: t.Kind, Namespaced: t.Namespaced, Verbs: metav1.Verbs{"get"},
		})
	}
	return list
}
