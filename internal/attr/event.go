// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package attr // import "github.com/kelemetry/kelemetry/internal/attr"

// Span attributes of event spans. Reason, action, count, uid, name and start_time are the names that the k8sevents
// receiver made usual.
const (
	EventReason = "k8s.event.reason"
	// EventAction is what the reporting controller did, or tried to do.
	EventAction = "k8s.event.action"
	// EventType is "Normal" or "Warning".
	EventType = "k8s.event.type"
	EventUID  = "k8s.event.uid"
	EventName = "k8s.event.name"
	// EventNamespace is where the Event itself is: "default" for those about cluster-scoped objects.
	EventNamespace = "k8s.event.namespace"
	// EventCount is how often it has occurred so far.
	EventCount = "k8s.event.count"
	// EventIncrease is how much EventCount grew since the span before, where the receiver knows that.
	EventIncrease = "k8s.event.increase"
	// EventStartTime is when it was first observed, as RFC 3339.
	EventStartTime           = "k8s.event.start_time"
	EventReportingController = "k8s.event.reporting_controller"
	EventReportingInstance   = "k8s.event.reporting_instance"
	// ObjectFieldPath is the part of the object that the Event is about, such as "spec.containers{app}".
	ObjectFieldPath = "k8s.object.fieldpath"
)

// Span attributes of event spans that name the Event's second object. The span links to that object's own span.
const (
	RelatedID         = "k8s.event.related.id" // the object's kelemetry.object.id
	RelatedKind       = "k8s.event.related.kind"
	RelatedAPIVersion = "k8s.event.related.api_version"
	RelatedGroup      = "k8s.event.related.group"
	RelatedResource   = "k8s.event.related.resource"
	RelatedNamespace  = "k8s.event.related.namespace"
	RelatedName       = "k8s.event.related.name"
	RelatedUID        = "k8s.event.related.uid"
)

// Names of span events of event spans, and their attributes.
const (
	// EventMessage is the span event that carries the Event's note, redacted.
	EventMessage = "message"
	// MessageText is the note.
	MessageText = "message"
)
