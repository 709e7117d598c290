// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package auditevent reads events of audit.k8s.io/v1 in one pass over their JSON.
//
// Most events are filtered after a look at a few fields, so an [Event] aliases the text that it was read from: making
// one allocates nothing that grows with the text. An Event is valid until its text changes or it is decoded into again.
package auditevent // import "github.com/kelemetry/kelemetry/internal/auditlog/auditevent"

import (
	"time"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// APIVersion is the only version of the audit API that Kubernetes still sends.
const APIVersion = "audit.k8s.io/v1"

// Stages of a request. A request ends in ResponseComplete or in Panic.
const (
	StageRequestReceived  = "RequestReceived"
	StageResponseStarted  = "ResponseStarted"
	StageResponseComplete = "ResponseComplete"
	StagePanic            = "Panic"
)

// Event is one audit event. Its fields are those of audit.k8s.io/v1 Event; byte slices are unescaped strings, and
// RequestObject, ResponseObject and Annotations are JSON text.
type Event struct {
	// Raw is the JSON text of the whole event.
	Raw []byte

	Level, AuditID, Stage, RequestURI, Verb, UserAgent []byte

	User         User
	Impersonated User // empty Name: nobody was impersonated
	SourceIPs    [][]byte
	Ref          ObjectRef
	Status       Status

	RequestObject, ResponseObject []byte

	// RequestReceived and StageTime are requestReceivedTimestamp and stageTimestamp; at least one is set.
	RequestReceived, StageTime time.Time

	// Annotations is the JSON text of the audit annotations; EachAnnotation reads it. Most events are filtered without
	// a look at it.
	Annotations []byte

	// Strings is the decoder's table of strings, for texts of the event that many others have too.
	Strings *Strings

	// head is what the response was found to be when it was read, if it was not just skipped.
	head    Body
	headErr error
	headed  bool

	kind, apiVersion []byte
}

// Response reads the head of the response's body, as [DecodeBody] does. It costs nothing for a request that writes, whose
// response the decoder has read in passing.
func (e *Event) Response() (Body, error) {
	if e.headed {
		return e.head, e.headErr
	}
	return DecodeBody(e.ResponseObject)
}

// User is who sent a request.
type User struct {
	Name, UID []byte
	Groups    [][]byte
	// Pod and Node are what a service account's token was bound to.
	Pod, Node []byte
}

// ObjectRef is the object that a request is about; an empty Resource means that it is about none.
type ObjectRef struct {
	Resource, Namespace, Name, UID, Group, Version, ResourceVersion, Subresource []byte
}

// Status is the response's status.
type Status struct {
	Code            int64
	Reason, Message []byte
	// DetailsUID and DetailsName are the object's that a successful delete names.
	DetailsUID, DetailsName []byte
	Causes                  []Cause
}

// Cause is one cause of a failure.
type Cause struct{ Reason, Message, Field []byte }

// reset empties the event and keeps its slices' memory.
func (e *Event) reset() {
	*e = Event{
		User:         User{Groups: e.User.Groups[:0]},
		Impersonated: User{Groups: e.Impersonated.Groups[:0]},
		SourceIPs:    e.SourceIPs[:0],
		Status:       Status{Causes: e.Status.Causes[:0]},
		Strings:      e.Strings,
	}
}

// EachAnnotation calls visit for each audit annotation until one is not a string. The value is JSON, for [Strings.Unquoted].
func (e *Event) EachAnnotation(visit func(key, value []byte)) {
	if len(e.Annotations) == 0 {
		return
	}
	s := jsonscan.New(e.Annotations)
	_ = s.Object(func(key []byte) error {
		if kind := s.Next(); kind != jsonscan.String && kind != jsonscan.Null {
			_, err := s.Bytes()
			return err
		}
		value, err := s.Raw()
		if err == nil {
			visit(key, value)
		}
		return err
	})
}
