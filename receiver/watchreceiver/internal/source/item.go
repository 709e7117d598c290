// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package source // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
)

// Item is what is left of an object on its way through the reflector, or a bookmark.
type Item struct {
	Header object.Header
	// Text is the object, redacted; nil if nothing is to be told of it.
	Text []byte
	// Ignored is set of an object that the receiver does not watch.
	Ignored bool
}

var _ runtime.Object = (*Item)(nil)

// GetObjectKind implements [runtime.Object]. An item has no kind.
func (*Item) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements [runtime.Object]. Items are not changed, so that the copy may share what is in it.
func (i *Item) DeepCopyObject() runtime.Object {
	copied := *i
	return &copied
}

// GetObjectMeta gives the reflector what it asks for.
func (i *Item) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{
		Namespace: i.Header.Namespace, Name: i.Header.Name, ResourceVersion: i.Header.ResourceVersion, Annotations: i.Header.Annotations,
	}
}

// list is a page.
type list struct {
	metav1.TypeMeta
	metav1.ListMeta
	Items []runtime.Object
}

// DeepCopyObject implements [runtime.Object].
func (l *list) DeepCopyObject() runtime.Object {
	copied := *l
	return &copied
}
