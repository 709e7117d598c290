// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package apitypes knows which types an API server serves: kinds, resources, versions and scopes.
package apitypes // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/restmapper"
)

// Resource is a resource in the version that the API server prefers among those that have it.
type Resource struct {
	schema.GroupVersionResource
	Kind       string
	Namespaced bool
	// Gettable says whether single objects can be read. Reviews and bindings, for instance, can only be created.
	Gettable bool
}

// Types are the types that an API server serves, or, offline, those that every API server of some version does. They do
// not change: what is discovered later makes new ones.
type Types struct {
	mapper    meta.RESTMapper
	resources map[schema.GroupResource]Resource
	groups    []*restmapper.APIGroupResources
}

// Resource returns the type with that plural.
func (t *Types) Resource(of schema.GroupResource) (Resource, bool) {
	r, ok := t.resources[of]
	return r, ok
}

// Discovered makes types of what discovery returned. Of the groups and versions that failed, it keeps what was known before.
func Discovered(
	groups []*metav1.APIGroup, lists []*metav1.APIResourceList, failed map[schema.GroupVersion]error, before *Types,
) *Types {
	byVersion := make(map[string][]metav1.APIResource, len(lists))
	for _, list := range lists {
		byVersion[list.GroupVersion] = list.APIResources
	}
	t := &Types{resources: make(map[schema.GroupResource]Resource)}
	for _, group := range groups {
		found := &restmapper.APIGroupResources{Group: *group.DeepCopy(), VersionedResources: map[string][]metav1.APIResource{}}
		for _, version := range group.Versions {
			if resources, ok := byVersion[version.GroupVersion]; ok {
				found.VersionedResources[version.Version] = resources
			}
		}
		t.groups = append(t.groups, found)
	}
	if before != nil {
		t.keep(failed, before)
	}
	for _, group := range t.groups {
		t.index(group)
	}
	t.mapper = restmapper.NewDiscoveryRESTMapper(t.groups)
	return t
}

// keep takes over the resources of those versions that could not be discovered this time.
func (t *Types) keep(failed map[schema.GroupVersion]error, before *Types) {
	for _, old := range before.groups {
		for _, version := range old.Group.Versions {
			resources, known := old.VersionedResources[version.Version]
			if _, now := failed[schema.GroupVersion{Group: old.Group.Name, Version: version.Version}]; !known || !now {
				continue
			}
			group := t.group(old.Group)
			if !slices.ContainsFunc(group.Group.Versions, func(v metav1.GroupVersionForDiscovery) bool { return v.Version == version.Version }) {
				group.Group.Versions = append(group.Group.Versions, version)
			}
			group.VersionedResources[version.Version] = resources
		}
	}
}

// group returns the group of that name, and adds it without versions if there is none.
func (t *Types) group(like metav1.APIGroup) *restmapper.APIGroupResources {
	for _, group := range t.groups {
		if group.Group.Name == like.Name {
			return group
		}
	}
	like.Versions = nil
	added := &restmapper.APIGroupResources{Group: like, VersionedResources: map[string][]metav1.APIResource{}}
	t.groups = append(t.groups, added)
	return added
}

// index finds the version of each resource: the preferred one of the group, else the first that has it.
func (t *Types) index(group *restmapper.APIGroupResources) {
	versions := []string{group.Group.PreferredVersion.Version}
	for _, version := range group.Group.Versions {
		versions = append(versions, version.Version)
	}
	for _, version := range versions {
		for _, r := range group.VersionedResources[version] {
			name := schema.GroupResource{Group: group.Group.Name, Resource: r.Name}
			if _, known := t.resources[name]; known || strings.Contains(r.Name, "/") {
				continue
			}
			t.resources[name] = Resource{
				GroupVersionResource: name.WithVersion(version),
				Kind:                 r.Kind,
				Namespaced:           r.Namespaced,
				Gettable:             slices.Contains(r.Verbs, "get"),
			}
		}
	}
}
