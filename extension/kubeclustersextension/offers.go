// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

// offers are the sources in this process that know objects, in the order in which they came. It is safe for concurrent
// use.
type offers struct {
	mu      sync.RWMutex // guards sources
	sources []*offer
}

// offer makes each call of add its own, even with the same source.
type offer struct{ kubecluster.Source }

// add has a source asked until the returned function is called. That may be called again.
func (o *offers) add(source kubecluster.Source) (withdraw func()) {
	added := &offer{source}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sources = append(slices.Clone(o.sources), added)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		// Others may be reading the slice that there was.
		o.sources = slices.DeleteFunc(slices.Clone(o.sources), func(other *offer) bool { return other == added })
	}
}

// all is not changed by anyone.
func (o *offers) all() []*offer {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.sources
}

func (o *offers) metadata(resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, bool) {
	for _, source := range o.all() {
		if object, ok := source.Metadata(resource, namespace, name); ok {
			return object, true
		}
	}
	return nil, false
}

func (o *offers) object(resource schema.GroupResource, namespace, name string) ([]byte, bool) {
	for _, source := range o.all() {
		if text, ok := source.Object(resource, namespace, name); ok {
			return text, true
		}
	}
	return nil, false
}
