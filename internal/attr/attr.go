// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package attr holds the names of all attributes that Kelemetry writes and reads. They are a contract:
// docs/attributes.md documents each, and a test keeps that page equal to this package.
package attr // import "github.com/kelemetry/kelemetry/internal/attr"

// Resource attributes, shared by all spans of one object.
const (
	// ServiceName is the cluster's name again, because several Jaeger storages search tags only within a service.
	ServiceName = "service.name"
	ClusterName = "k8s.cluster.name"
	Namespace   = "k8s.namespace.name"
	// ObjectKind, ObjectName, ObjectUID and ObjectAPIVersion are the names that the k8sevents receiver made usual.
	ObjectKind       = "k8s.object.kind"
	ObjectName       = "k8s.object.name"
	ObjectUID        = "k8s.object.uid"
	ObjectAPIVersion = "k8s.object.api_version"
	ObjectGroup      = "k8s.object.group"
	ObjectResource   = "k8s.object.resource"
	// ObjectID is the object id of docs/ids.md, 14 hex digits.
	ObjectID = "kelemetry.object.id"
)

// Span attributes of every source.
const (
	// SpanType is one of the SpanType values below.
	SpanType = "kelemetry.span.type"
	// Owners is a JSON array of the object's owner references: [{"apiVersion","kind","name","uid","controller"}].
	// Receivers set it on the spans that show it; k8slink moves it to the object's span.
	Owners = "k8s.object.owner_references"
	// OwnersSeen is the start, as RFC 3339, of the span that told Owners. k8slink sets it on the object's span, unless
	// that span was about another life of the object, or did not say about which.
	OwnersSeen = "kelemetry.owners.seen"
	// OwnTrace is the trace, as 32 hex digits, in which an object was its own root before its owner was known. k8slink
	// sets it on the object's span in the owner's trace, together with a span link.
	OwnTrace = "kelemetry.owners.own_trace"
	// ObjectResourceVersion is the object's resourceVersion after the change that the span tells of.
	ObjectResourceVersion = "k8s.object.resource_version"
	// ObjectGeneration is metadata.generation after the change.
	ObjectGeneration = "k8s.object.generation"
)

// Values of SpanType.
const (
	SpanTypeObject = "object"
	SpanTypeAudit  = "audit"
	SpanTypeEvent  = "event"
	SpanTypeWatch  = "watch"
	SpanTypeLink   = "link"
)

// Names of span events and their attributes.
const (
	// EventSnapshot is the span event that carries the whole object as it was created or last seen.
	EventSnapshot = "snapshot"
	// SnapshotObject is the object as JSON, redacted and without managedFields.
	SnapshotObject = "object"
	// SnapshotTruncated is true when only the metadata fitted into the limit.
	SnapshotTruncated = "truncated"
)
