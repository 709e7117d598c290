// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package attr // import "github.com/kelemetry/kelemetry/internal/attr"

// Span attributes of watch spans. PreviousResourceVersion is the one that was seen last before the change.
const (
	// ObservedGeneration is status.observedGeneration after the change.
	ObservedGeneration = "k8s.object.observed_generation"
	// DeletionTimestamp is metadata.deletionTimestamp of an object that is being deleted.
	DeletionTimestamp = "k8s.object.deletion_timestamp"
	// Finalizers are what an object that is being deleted still waits for.
	Finalizers = "k8s.object.finalizers"
	// WatchDeletion lists the steps of deletion that the change was, each one of the WatchDeletion values below.
	WatchDeletion = "k8s.watch.deletion"
	// WatchManagers are the names of the field managers that own what the change left in the fields it touched.
	WatchManagers = "k8s.watch.managers"
	// WatchFieldManagers says the same at length, as JSON: [{"manager","operation","subresource","time","fields"}].
	WatchFieldManagers = "k8s.watch.field_managers"
	// WatchInferred is true of a change that was concluded from a list, after a watch had been interrupted.
	WatchInferred = "k8s.watch.inferred"
	// WatchDegraded says what of the last state was missing for want of memory: one of the WatchDegraded values below.
	WatchDegraded = "k8s.watch.degraded"
	// WatchChanges is the number of changes found, those that were cut from the diff included.
	WatchChanges = "k8s.watch.changes"
)

// Values of WatchDeletion.
const (
	// WatchDeletionRequested is that the object got its deletionTimestamp.
	WatchDeletionRequested = "deletion requested"
	// WatchDeletionFinalizerPrefix is followed by the finalizer that was removed while the object waited.
	WatchDeletionFinalizerPrefix = "finalizer removed: "
	// WatchDeletionCompleted is that the object is gone.
	WatchDeletionCompleted = "deleted"
)

// Values of WatchDegraded.
const (
	// WatchDegradedMetadata is that only the metadata had been kept to compare with.
	WatchDegradedMetadata = "metadata"
	// WatchDegradedSkipped is that nothing had been kept.
	WatchDegradedSkipped = "skipped"
)

// The span event of a diff, on watch spans and on the audit spans of the requests that made the change.
const (
	// EventDiff is the span event whose attributes are path to "old -> new".
	EventDiff = "diff"
	// DiffCut is the number of changes that were left out of a diff.
	DiffCut = "kelemetry.diff.cut"
	// DiffJoin is on audit spans that got the diff of a watch span: one of the DiffJoin values below.
	DiffJoin = "kelemetry.diff.join"
	// DiffResourceVersion is there too if the join is inferred: the ObjectResourceVersion of that watch span.
	DiffResourceVersion = "kelemetry.diff.resource_version"
)

// Values of DiffJoin.
const (
	// DiffJoinExact is that the request told the resourceVersion that it made.
	DiffJoinExact = "exact"
	// DiffJoinInferred is that the version it was based on, or field manager and time, make it the only one possible.
	DiffJoinInferred = "inferred"
)
