// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Types maps kinds to resources: built-in ones by table, custom ones as learned from spans that carry both names.
type Types struct {
	learnedMu sync.Mutex
	learned   *simplelru.LRU[typeKey, learnedType]
	evicted   int64
}

type typeKey struct{ cluster, group, kind string }

// learnedType only ever grows in one direction, so that it does not depend on the order of what was seen: of several
// resources the alphabetically first, and namespaced once any object of it was.
type learnedType struct {
	resource   string
	namespaced bool
}

func newTypes(bound int) (*Types, error) {
	t := &Types{}
	learned, err := simplelru.NewLRU(bound, func(typeKey, learnedType) { t.evicted++ })
	t.learned = learned
	return t, err
}

// Learn takes the resource of a custom kind from an object that names both. The caller vouches that the resource is
// what the source said and no guess.
func (t *Types) Learn(r objectspan.Resource) {
	if r.Kind == "" || r.Object.Resource == "" || r.Name == "" ||
		max(len(r.Cluster), len(r.Group), len(r.Kind), len(r.Object.Resource)) > maxText {
		return
	}
	if _, builtIn := kinds.ByResource(r.Group, r.Object.Resource); builtIn {
		return
	}
	key := typeKey{cluster: r.Cluster, group: r.Group, kind: r.Kind}
	seen := learnedType{resource: r.Object.Resource, namespaced: r.Namespace != ""}

	t.learnedMu.Lock()
	defer t.learnedMu.Unlock()
	known, ok := t.learned.Get(key)
	if ok {
		seen.resource = min(seen.resource, known.resource)
		seen.namespaced = seen.namespaced || known.namespaced
		if seen == known {
			return
		}
	} else {
		key = typeKey{strings.Clone(key.cluster), strings.Clone(key.group), strings.Clone(key.kind)}
	}
	seen.resource = strings.Clone(seen.resource)
	t.learned.Add(key, seen)
}

// Resource returns the plural of a kind, and whether it is certain that its objects have no namespace.
func (t *Types) Resource(cluster, group, kind string) (resource string, clusterScoped bool) {
	if builtIn, ok := kinds.ByKind(group, kind); ok {
		return builtIn.Resource, !builtIn.Namespaced
	}
	t.learnedMu.Lock()
	known, ok := t.learned.Get(typeKey{cluster, group, kind})
	t.learnedMu.Unlock()
	if ok {
		return known.resource, !known.namespaced
	}
	return kinds.GuessResource(kind), false
}

// learn takes the resource of a custom kind from who knows it for sure.
func (t *Types) learn(found Type) {
	if found.Resource == "" || max(len(found.Cluster), len(found.Group), len(found.Kind.Kind), len(found.Resource)) > maxText {
		return
	}
	t.learnedMu.Lock()
	defer t.learnedMu.Unlock()
	t.learned.Add(typeKey{found.Cluster, found.Group, found.Kind.Kind}, learnedType{found.Resource, found.Namespaced})
}

// knows reports whether the resource of a kind is known, and not guessed.
func (t *Types) knows(kind Kind) bool {
	if _, ok := kinds.ByKind(kind.Group, kind.Kind); ok {
		return true
	}
	t.learnedMu.Lock()
	defer t.learnedMu.Unlock()
	return t.learned.Contains(typeKey{kind.Cluster, kind.Group, kind.Kind})
}

// namespaced reports whether it is certain that the objects of a kind are in namespaces.
func (t *Types) namespaced(kind Kind) bool {
	if builtIn, ok := kinds.ByKind(kind.Group, kind.Kind); ok {
		return builtIn.Namespaced
	}
	t.learnedMu.Lock()
	defer t.learnedMu.Unlock()
	known, ok := t.learned.Peek(typeKey{kind.Cluster, kind.Group, kind.Kind})
	return ok && known.namespaced
}

// owner turns an owner reference of an object into the owner: in the same cluster, and in the same namespace unless
// the owner's type is known to have none. It reports false of an owner that would have to be in a namespace when the
// object is in none: Kubernetes deletes such objects.
func (t *Types) owner(child identity.Object, ref identity.OwnerReference) (owner objectspan.Resource, ok bool) {
	group, _ := identity.GroupVersion(ref.APIVersion)
	resource, clusterScoped := t.Resource(child.Cluster, group, ref.Kind)
	owner = objectspan.Resource{
		Object: identity.Object{
			Cluster: child.Cluster, Group: group, Resource: resource, Namespace: child.Namespace, Name: ref.Name,
		},
		Kind: ref.Kind, APIVersion: ref.APIVersion, UID: ref.UID,
	}
	if clusterScoped {
		owner.Namespace = ""
	}
	return owner, child.Namespace != "" || !t.namespaced(Kind{child.Cluster, group, ref.Kind})
}
