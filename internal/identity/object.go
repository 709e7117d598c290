// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity // import "github.com/kelemetry/kelemetry/internal/identity"

import "strings"

// Object is the key of one Kubernetes object. It is comparable, so it can key a map.
//
// Neither version nor UID belong to the key: v1 and v1beta1 are the same object, and an audit event at level Metadata
// often has no UID. Two lives of one name are told apart by the UID, which travels as an attribute.
type Object struct {
	// Cluster is the name the user gave the cluster.
	Cluster string
	// Group is the API group without version; empty for the core group.
	Group string
	// Resource is the lower-case plural, such as "deployments".
	Resource string
	// Namespace is empty for cluster-scoped objects.
	Namespace string
	// Name is empty when a request concerns the collection rather than one object.
	Name string
}

// GroupResource is "resource.group", or just "resource" for the core group, as kubectl prints it.
func (o Object) GroupResource() string {
	if o.Group == "" {
		return o.Resource
	}
	return o.Resource + "." + o.Group
}

// SpanName is the name of the object's span: "deployments/hello", or "pods/*" for a collection.
func (o Object) SpanName() string {
	if o.Name == "" {
		return o.Resource + "/*"
	}
	return o.Resource + "/" + o.Name
}

// GroupVersion splits an apiVersion such as "apps/v1" into group and version; the core group is empty.
func GroupVersion(apiVersion string) (group, version string) {
	if i := strings.IndexByte(apiVersion, '/'); i >= 0 {
		return apiVersion[:i], apiVersion[i+1:]
	}
	return "", apiVersion
}

// APIVersion joins group and version the way Kubernetes writes them.
func APIVersion(group, version string) string {
	if group == "" {
		return version
	}
	return group + "/" + version
}
