// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// objects tells which object a reference means.
type objects struct {
	cluster string
	mapper  meta.RESTMapper
}

// of returns the object of a reference that an Event in a namespace makes. It reports false when the reference names none.
func (o objects) of(ref *corev1.ObjectReference, eventNamespace string) (objectspan.Resource, bool) {
	if ref.Kind == "" || ref.Name == "" {
		return objectspan.Resource{}, false
	}
	group, version := identity.GroupVersion(ref.APIVersion)
	t := o.typeOf(group, version, ref)
	r := objectspan.Resource{
		Object: identity.Object{Cluster: o.cluster, Group: t.Group, Resource: t.Resource, Name: ref.Name},
		Kind:   ref.Kind, APIVersion: ref.APIVersion, UID: uidOf(ref),
	}
	if t.Namespaced {
		// An object without a namespace of its own is in that of the Event.
		if r.Namespace = ref.Namespace; r.Namespace == "" {
			r.Namespace = eventNamespace
		}
	}
	return r, true
}

// typeOf asks the table of built-in types first: its answer is the same whether the API server answers or not, and IDs
// are made of it.
func (o objects) typeOf(group, version string, ref *corev1.ObjectReference) kinds.Type {
	kind := ref.Kind
	if t, ok := kinds.ByKind(group, kind); ok {
		return t
	}
	if t, ok := builtInWithoutGroup(group, kind); ok {
		return t
	}
	versions := make([]string, 0, 1)
	if version != "" {
		versions = append(versions, version)
	}
	if m, err := o.mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind}, versions...); err == nil {
		return kinds.Type{
			Group: m.Resource.Group, Kind: kind, Resource: m.Resource.Resource,
			Namespaced: m.Scope.Name() == meta.RESTScopeNameNamespace,
		}
	}
	return kinds.Type{Group: group, Kind: kind, Resource: kinds.GuessResource(kind), Namespaced: ref.Namespace != ""}
}

// builtInWithoutGroup helps reporters that leave the apiVersion out, if only one built-in type has that kind.
func builtInWithoutGroup(group, kind string) (found kinds.Type, ok bool) {
	if group != "" {
		return kinds.Type{}, false
	}
	for _, t := range builtIn {
		if t.Kind != kind {
			continue
		}
		if ok {
			return kinds.Type{}, false
		}
		found, ok = t, true
	}
	return found, ok
}

var builtIn = kinds.All()

// uidOf leaves out what kubelets and kube-proxies put there for their node: its name.
func uidOf(ref *corev1.ObjectReference) string {
	if string(ref.UID) == ref.Name {
		return ""
	}
	return string(ref.UID)
}
