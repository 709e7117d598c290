// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package attr // import "github.com/kelemetry/kelemetry/internal/attr"

// Span attributes of link spans. Each names a relation of the span's object to another one, its target, to whose object
// span the link span has a span link.
const (
	// LinkRole is what the target is to the object: "parent", "child", or what the rule calls it. Other roles than those
	// two are the same on both sides.
	LinkRole = "kelemetry.link.role"
	// LinkClass groups links.
	LinkClass = "kelemetry.link.class"
	// LinkRule is the name of the rule that found the link.
	LinkRule = "kelemetry.link.rule"
	// LinkDirection is one of the LinkDirection values below.
	LinkDirection       = "kelemetry.link.direction"
	LinkTargetID        = "kelemetry.link.target.id" // the target's kelemetry.object.id
	LinkTargetCluster   = "kelemetry.link.target.cluster"
	LinkTargetGroup     = "kelemetry.link.target.group"
	LinkTargetResource  = "kelemetry.link.target.resource"
	LinkTargetKind      = "kelemetry.link.target.kind"
	LinkTargetNamespace = "kelemetry.link.target.namespace"
	LinkTargetName      = "kelemetry.link.target.name"
	LinkTargetUID       = "kelemetry.link.target.uid"
)

// Values of LinkDirection.
const (
	// LinkForward is on the object that names the other one.
	LinkForward = "forward"
	// LinkBackward is on the one that is named.
	LinkBackward = "backward"
)

// TraceContextPrefix is followed by the annotation of an object that holds a trace context. It is on the object's span,
// which has a link to that trace.
const TraceContextPrefix = "kelemetry.trace_context."
