// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// subject is the object that a request is about, with what the response tells of it.
type subject struct {
	objectspan.Resource

	// described is true when the response has the object's metadata, which meta then is.
	described bool
	// whole is true when the response is the object itself, fit for a snapshot.
	whole bool
	meta  auditevent.Metadata

	learned bool
}

// subjectOf names the object as far as the event's objectRef does, and asks the response only when that has no name:
// a create with generateName, for instance. Without objectRef the response has to tell what it is; when there is none
// either, the subject has no Resource. Texts are cut, which no name that an API server accepts is long enough for.
func subjectOf(e *auditevent.Event, cluster string) subject {
	group, version := share(e, e.Ref.Group), share(e, e.Ref.Version)
	s := subject{Resource: objectspan.Resource{
		Object: identity.Object{
			Cluster: cluster, Group: group, Resource: share(e, e.Ref.Resource),
			Namespace: share(e, e.Ref.Namespace), Name: clean(e.Ref.Name),
		},
		UID: clean(e.Ref.UID),
	}}
	if s.Object.Resource != "" {
		s.APIVersion = identity.APIVersion(group, version)
		s.complete()
	}
	s.takeDetails(&e.Status)
	if s.Name == "" && len(e.ResponseObject) > 0 && string(e.Verb) != verbDeleteCollection {
		s.learn(e)
	}
	return s
}

const verbDeleteCollection = "deletecollection"

// complete adds what the built-in types tell. Namespaces are cluster-scoped, though requests to them name one.
func (s *subject) complete() {
	if t, ok := kinds.ByResource(s.Group, s.Object.Resource); ok {
		s.Kind = t.Kind
		if !t.Namespaced {
			s.Namespace = ""
		}
	}
}

// takeDetails keeps the UID that a deletion answers, at level Metadata too.
func (s *subject) takeDetails(status *auditevent.Status) {
	if len(status.DetailsUID) > 0 && s.Name != "" && string(status.DetailsName) == s.Name {
		s.UID = clean(status.DetailsUID)
	}
}

// learn reads the response. It may be called twice. What a dry run answers has a UID, and perhaps a name, that never
// was.
func (s *subject) learn(e *auditevent.Event) {
	if s.learned || len(e.ResponseObject) == 0 || isDryRun(e) {
		return
	}
	s.learned = true
	body, err := e.Response()
	if err != nil {
		return // well-formed, but no Kubernetes object: there is nothing to learn from it
	}
	if s.Object.Resource == "" && !s.inferReference(body) {
		return
	}
	s.take(body)
}

// inferReference makes up for a missing objectRef.
func (s *subject) inferReference(body auditevent.Body) bool {
	if !body.HasMetadata || len(body.Kind) == 0 || string(body.Kind) == "Status" || len(body.Metadata.Name) == 0 {
		return false
	}
	s.APIVersion, s.Kind = clean(body.APIVersion), clean(body.Kind)
	s.Group, _ = identity.GroupVersion(s.APIVersion)
	s.Namespace = clean(body.Metadata.Namespace)
	if t, ok := kinds.ByKind(s.Group, s.Kind); ok {
		s.Object.Resource = t.Resource
	} else {
		s.Object.Resource = kinds.GuessResource(s.Kind)
	}
	return true
}

// take keeps what a response tells, as far as it is about this object.
func (s *subject) take(body auditevent.Body) {
	if string(body.Kind) == "Status" {
		s.takeDetails(&body.Status)
		return
	}
	meta := body.Metadata
	if !body.HasMetadata || len(meta.Name) == 0 || s.Name != "" && s.Name != clean(meta.Name) {
		return
	}
	s.whole = s.isItself(body)
	s.described = s.whole || string(body.Kind) == "PartialObjectMetadata"
	if !s.described && string(body.Kind) != "Scale" {
		return
	}
	// A Scale has name, UID and resourceVersion of the object it scales, but nothing else of it.
	s.meta = meta
	s.Name = clean(meta.Name)
	if len(meta.UID) > 0 {
		s.UID = clean(meta.UID)
	}
	if s.whole && s.Kind == "" {
		s.Kind = clean(body.Kind)
	}
}

// isItself tells the object from the Scale, Eviction, TokenRequest or Table that requests to it may return.
func (s *subject) isItself(body auditevent.Body) bool {
	group, _ := identity.GroupVersion(string(body.APIVersion))
	return group == s.Group && len(body.Kind) > 0 && (s.Kind == "" || s.Kind == string(body.Kind))
}
