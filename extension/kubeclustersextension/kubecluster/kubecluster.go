// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package kubecluster is what the extension kube_clusters gives to other components: named clusters, and what they know.
package kubecluster // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

var (
	// ErrUnknownCluster is returned for a name that is not configured.
	ErrUnknownCluster = errors.New("unknown cluster")
	// ErrNotFound is returned for an object that does not exist.
	ErrNotFound = errors.New("object not found")
	// ErrUnavailable is returned when a look-up could not be made: the API server did not answer, or the rate or the
	// time allowed for look-ups is used up. It says nothing about the object.
	ErrUnavailable = errors.New("look-up unavailable")
)

// Clusters are the configured clusters. It is safe for concurrent use.
type Clusters interface {
	// Cluster returns the cluster of that name, or the only one if the name is empty; otherwise ErrUnknownCluster.
	Cluster(name string) (Cluster, error)
	// Names lists the clusters in alphabetical order.
	Names() []string
}

// Cluster is one cluster. It is safe for concurrent use.
type Cluster interface {
	// Name is what the user calls the cluster; the attribute k8s.cluster.name.
	Name() string
	// UID is the UID of its namespace kube-system, which stays the same for the cluster's life.
	UID(ctx context.Context) (types.UID, error)
	// RESTConfig returns a copy of the configuration for clients, with QPS and burst set. Clients share no limits.
	RESTConfig() *rest.Config
	// Discovery caches what the API server serves, until its Invalidate is called or the extension refreshes it.
	Discovery() discovery.CachedDiscoveryInterface
	// Mapper maps kinds to resources: by discovery, refreshed when it is asked for what it does not know; while the
	// API server does not answer, by the table of built-in types.
	Mapper() meta.RESTMapper
	// Metadata looks up the metadata of an object: first with the sources that were offered, then with the API server.
	// Answers are cached, also that there is none (ErrNotFound); at any other failure the error wraps ErrUnavailable.
	Metadata(ctx context.Context, resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, error)
	// Known is Metadata with the sources that were offered only: it does no I/O.
	Known(resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, bool)
	// Object looks up a whole object, in the same way, as JSON without managedFields. It is redacted, as receivers do by
	// default. The text is shared: it must not be changed.
	Object(ctx context.Context, resource schema.GroupResource, namespace, name string) ([]byte, error)
	// Offer has look-ups ask a source in this process, before anything else, until withdraw is called.
	Offer(source Source) (withdraw func())
}

// Source is what a component of the same process knows of a cluster's objects. It is safe for concurrent use, does no I/O
// and answers at once; false says that it does not know, and not that there is no such object.
type Source interface {
	// Metadata returns an object's metadata, at least its name, UID and owners: the caller's own copy.
	Metadata(resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, bool)
	// Object returns a whole object as JSON, redacted and without managedFields.
	Object(resource schema.GroupResource, namespace, name string) ([]byte, bool)
}

// Find returns the extension with that ID. The error says what to declare.
func Find(host component.Host, id component.ID) (Clusters, error) {
	extension, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("extension %q is not declared: add it to extensions and to service::extensions", id)
	}
	clusters, ok := extension.(Clusters)
	if !ok {
		return nil, fmt.Errorf("extension %q does not know clusters: name one of type kube_clusters", id)
	}
	return clusters, nil
}
