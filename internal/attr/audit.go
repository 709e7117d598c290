// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package attr // import "github.com/kelemetry/kelemetry/internal/attr"

// Span attributes of audit spans that the semantic conventions define.
const (
	// UserName is the user in whose name the request was carried out: the impersonated one where there is one.
	UserName = "user.name"
	UserID   = "user.id"
	// UserRoles are the user's groups.
	UserRoles = "user.roles"
	UserAgent = "user_agent.original"
	// ClientAddress is the last source address, the only one that the client cannot forge.
	ClientAddress      = "client.address"
	HTTPRequestMethod  = "http.request.method"
	HTTPResponseStatus = "http.response.status_code"
	URLPath            = "url.path"
	// URLQuery holds the query with the values of harmless parameters only.
	URLQuery = "url.query"
	// ErrorType is the reason of a failed request, such as "Conflict"; its code where there is no reason.
	ErrorType = "error.type"
	// NodeName is the node that a Binding puts a Pod on.
	NodeName = "k8s.node.name"
)

// Span attributes of audit spans that the audit API defines.
const (
	AuditID          = "k8s.audit.id"
	AuditLevel       = "k8s.audit.level"
	AuditStage       = "k8s.audit.stage"
	AuditVerb        = "k8s.audit.verb"
	AuditSubresource = "k8s.audit.subresource"
	// AuditImpersonatorName and AuditImpersonatorID are the authenticated user of an impersonated request.
	AuditImpersonatorName = "k8s.audit.impersonator.name"
	AuditImpersonatorID   = "k8s.audit.impersonator.id"
	// AuditUserPod and AuditUserNode say where a service account's token was bound to: who really acted.
	AuditUserPod  = "k8s.audit.user.pod.name"
	AuditUserNode = "k8s.audit.user.node.name"
	// AuditUserClass is UserName with all nodes as one, "system:nodes": what there are few of, for metrics.
	AuditUserClass = "k8s.audit.user.class"
	// AuditReadVersion is on what only reads: the kind of resourceVersion asked for, "empty", "zero", "nonzero" or "continue".
	AuditReadVersion = "k8s.audit.read.resource_version"
	// AuditReadSelector is on what only reads: "none", "label", "field" or "label,field".
	AuditReadSelector = "k8s.audit.read.selector"
	// AuditTimeout is how many seconds the client let the request last, where it said so; AuditTimeoutRatio how long it
	// lasted, as a part of that.
	AuditTimeout      = "k8s.audit.timeout.requested"
	AuditTimeoutRatio = "k8s.audit.timeout.ratio"
	// AuditForwardedFor lists the source addresses before the last one. A client can claim any.
	AuditForwardedFor = "k8s.audit.forwarded_for"
	// AuditDryRun is true when nothing was persisted.
	AuditDryRun = "k8s.audit.dry_run"
	// AuditNoop is true when an update or patch left the resourceVersion as it was.
	AuditNoop = "k8s.audit.noop"
	// AuditTruncated is true when the API server cut the bodies off.
	AuditTruncated = "k8s.audit.truncated"
	// AuditBodyOmitted is true when the receiver left the bodies out because the event was too large.
	AuditBodyOmitted = "k8s.audit.body_omitted"
	// AuditCauses lists a failure's causes as "field: message (type)".
	AuditCauses = "k8s.audit.status.causes"
	// AuditDeletedCount is the number of objects that a deletecollection deleted.
	AuditDeletedCount = "k8s.audit.deleted.count"
	// AuditDeletedNames lists the first hundred of their names.
	AuditDeletedNames = "k8s.audit.deleted.names"
	// AuditLatencyPrefix is followed by what the API server spent the time on, such as "etcd"; double, in seconds.
	AuditLatencyPrefix = "k8s.audit.latency."
	// AuditMutatingWebhooks lists the mutating webhooks called, as "configuration/webhook"; AuditMutatedBy those that
	// changed the object.
	AuditMutatingWebhooks = "k8s.audit.mutating_webhooks"
	AuditMutatedBy        = "k8s.audit.mutated_by"
	// AuditAnnotationPrefix is followed by the key of any other audit annotation.
	AuditAnnotationPrefix = "k8s.audit.annotation."
	// GenerateName is metadata.generateName of a request that did not name its object.
	GenerateName = "k8s.object.generate_name"
	// PreviousResourceVersion is the resourceVersion that an update was based on.
	PreviousResourceVersion = "k8s.object.previous_resource_version"
)
