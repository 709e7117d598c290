// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"encoding/json"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

// offered answers look-ups of other components in this process from the last states that the watches keep.
type offered struct {
	// unmarked takes off what tells redacted values apart.
	unmarked func(string) string

	mu     sync.RWMutex // guards tables
	tables map[watchKey]offeredTable
}

type offeredTable struct {
	target target
	states *states.Table
}

var _ kubecluster.Source = (*offered)(nil)

func newOffered(unmarked func(string) string) *offered {
	return &offered{unmarked: unmarked, tables: map[watchKey]offeredTable{}}
}

func (o *offered) add(key watchKey, t target, table *states.Table) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tables[key] = offeredTable{t, table}
}

func (o *offered) remove(key watchKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.tables, key)
}

// Metadata implements kubecluster.Source.
func (o *offered) Metadata(resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, bool) {
	text, t, kept := o.text(resource, namespace, name)
	if kept == states.Nothing {
		return nil, false
	}
	object := &metav1.PartialObjectMetadata{}
	if err := json.Unmarshal([]byte(o.unmarked(string(states.MetadataOf(text)))), object); err != nil {
		return nil, false
	}
	object.APIVersion, object.Kind = t.GroupVersion().String(), t.Kind
	delete(object.Annotations, corev1.LastAppliedConfigAnnotation)
	return object, true
}

// Object implements kubecluster.Source.
func (o *offered) Object(resource schema.GroupResource, namespace, name string) ([]byte, bool) {
	text, _, kept := o.text(resource, namespace, name)
	if kept != states.Full {
		return nil, false
	}
	return []byte(o.unmarked(string(text))), true
}

// text returns what is kept of an object, unpacked.
func (o *offered) text(resource schema.GroupResource, namespace, name string) ([]byte, target, states.Kept) {
	t, ok := o.table(resource, namespace)
	if !ok {
		return nil, target{}, states.Nothing
	}
	key := name
	if t.target.Namespaced {
		key = namespace + "/" + name
	}
	state, ok := t.states.Get(key)
	if !ok {
		return nil, target{}, states.Nothing
	}
	text, err := t.states.Text(state)
	if err != nil { // the table was given up meanwhile
		return nil, target{}, states.Nothing
	}
	return text, t.target, state.Kept
}

// table finds the watch of all namespaces, or that of the object's.
func (o *offered) table(resource schema.GroupResource, namespace string) (offeredTable, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if t, ok := o.tables[watchKey{GroupResource: resource}]; ok {
		return t, true
	}
	t, ok := o.tables[watchKey{GroupResource: resource, namespace: namespace}]
	return t, ok
}
