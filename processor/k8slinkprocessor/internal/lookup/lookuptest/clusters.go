// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package lookuptest has clusters for tests of look-ups.
package lookuptest // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup/lookuptest"

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Clusters are an extension that knows some clusters. They are safe for concurrent use.
type Clusters struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex // guards what follows
	names   []string
	objects map[identity.Object]*metav1.PartialObjectMetadata
	watched map[identity.Object]bool
	// contents are the objects that are there as a whole, as JSON.
	contents map[identity.Object]string
	mapper   *meta.DefaultRESTMapper
	asked    map[identity.Object]int
	// answer, if it is set, is called before each request. Its error is what the request returns.
	answer func(context.Context, identity.Object) error
}

var _ kubecluster.Clusters = (*Clusters)(nil)

// New returns clusters of these names, without objects.
func New(names ...string) *Clusters {
	return &Clusters{
		names: names, objects: map[identity.Object]*metav1.PartialObjectMetadata{}, watched: map[identity.Object]bool{},
		contents: map[identity.Object]string{},
		mapper:   meta.NewDefaultRESTMapper(nil), asked: map[identity.Object]int{},
	}
}

// Put has an object with these owners; the controller is the first.
func (c *Clusters) Put(r objectspan.Resource, owners ...objectspan.Resource) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: r.Name, Namespace: r.Namespace, UID: types.UID(r.UID)}}
	for i, o := range owners {
		controller := i == 0
		object.OwnerReferences = append(object.OwnerReferences, metav1.OwnerReference{
			APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name, UID: types.UID(o.UID), Controller: &controller,
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects[r.Object] = object
	return object
}

// Show has an object there as a whole.
func (c *Clusters) Show(r objectspan.Resource, content string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.contents[r.Object] = content
}

// Watch has a component of the same process know an object that there is.
func (c *Clusters) Watch(r objectspan.Resource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watched[r.Object] = true
}

// Serve has a kind mapped to its resource.
func (c *Clusters) Serve(group, kind, resource string, scope meta.RESTScope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gv := schema.GroupVersion{Group: group, Version: "v1"}
	c.mapper.AddSpecific(gv.WithKind(kind), gv.WithResource(resource), gv.WithResource(kind), scope)
}

// Answer sets what is called before each request.
func (c *Clusters) Answer(answer func(context.Context, identity.Object) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

// Asked is how often an object was asked for, and all of them together.
func (c *Clusters) Asked(r objectspan.Resource) (one, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.asked {
		all += n
	}
	return c.asked[r.Object], all
}

// Names implements kubecluster.Clusters.
func (c *Clusters) Names() []string { return c.names }

// Cluster implements kubecluster.Clusters.
func (c *Clusters) Cluster(name string) (kubecluster.Cluster, error) {
	for _, known := range c.names {
		if name == known {
			return cluster{name: name, clusters: c}, nil
		}
	}
	return nil, kubecluster.ErrUnknownCluster
}

type cluster struct {
	kubecluster.Cluster // for what look-ups do not use

	name     string
	clusters *Clusters
}

func (c cluster) object(r schema.GroupResource, namespace, name string) identity.Object {
	return identity.Object{Cluster: c.name, Group: r.Group, Resource: r.Resource, Namespace: namespace, Name: name}
}

func (c cluster) Known(r schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, bool) {
	o := c.object(r, namespace, name)
	c.clusters.mu.Lock()
	defer c.clusters.mu.Unlock()
	return c.clusters.objects[o], c.clusters.watched[o]
}

func (c cluster) Metadata(ctx context.Context, r schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	o := c.object(r, namespace, name)
	c.clusters.mu.Lock()
	c.clusters.asked[o]++
	found, answer := c.clusters.objects[o], c.clusters.answer
	c.clusters.mu.Unlock()
	if answer != nil {
		if err := answer(ctx, o); err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, kubecluster.ErrNotFound
	}
	return found, nil
}

func (c cluster) Object(ctx context.Context, r schema.GroupResource, namespace, name string) ([]byte, error) {
	o := c.object(r, namespace, name)
	c.clusters.mu.Lock()
	content, ok := c.clusters.contents[o]
	answer := c.clusters.answer
	c.clusters.mu.Unlock()
	if answer != nil {
		if err := answer(ctx, o); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, kubecluster.ErrNotFound
	}
	return []byte(content), nil
}

func (c cluster) Mapper() meta.RESTMapper { return lockedMapper{c.clusters.mapper, &c.clusters.mu} }

type lockedMapper struct {
	meta.RESTMapper
	mu *sync.Mutex
}

func (m lockedMapper) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.RESTMapper.RESTMapping(kind, append(versions, "v1")...)
}
