// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// The attributes of an entry that only views have. A diff has one attribute for each path.
const (
	fieldSource      = "source"
	fieldDuration    = "duration"
	fieldMessage     = "message"
	fieldError       = "error"
	fieldDiff        = "diff "
	fieldVerboseDiff = "verbose diff "
	fieldDiffCut     = "diff cut"
	fieldDiffJoin    = "diff joined"
	fieldSnapshot    = "snapshot"
	fieldTruncated   = "snapshot truncated"
	fieldFolded      = "folded"
	fieldFoldedPaths = "folded changes"
)

// internalPrefix is of attributes that are for Kelemetry itself.
const internalPrefix = "kelemetry."

// onlyOnSpans are attributes that logs leave out, because the title, the diff or another attribute tells as much, or because
// few will ask. Spans of entries have them.
var onlyOnSpans = map[string]bool{
	attr.UserID: true, attr.UserRoles: true, attr.AuditLevel: true, attr.AuditStage: true, attr.HTTPRequestMethod: true,
	attr.URLPath: true, attr.URLQuery: true, attr.EventUID: true, attr.EventName: true, attr.EventNamespace: true,
	attr.EventReportingInstance: true, attr.EventStartTime: true, attr.EventReason: true, attr.WatchFieldManagers: true,
	attr.WatchChanges: true, attr.AuditNoop: true, attr.AuditDryRun: true,
	attr.ObjectResourceVersion: true, attr.PreviousResourceVersion: true, attr.ObjectGeneration: true, attr.ObservedGeneration: true,
	attr.RelatedID: true, attr.RelatedAPIVersion: true, attr.RelatedGroup: true, attr.RelatedResource: true, attr.RelatedUID: true,
}

// isOnlyOnSpans is true also of why a request was allowed. Why one was not is worth to be told.
func isOnlyOnSpans(key string, e *model.Entry) bool {
	return onlyOnSpans[key] || strings.HasPrefix(key, authorization) && !e.Failed()
}

// worthTelling is how long something takes that a log says so of, which is a moment otherwise.
const worthTelling = time.Second

const authorization = attr.AuditAnnotationPrefix + "authorization.k8s.io/"

// putItem writes what an item tells: first what a reader looks for, then who and how, then what is long.
func putItem(attrs pcommon.Map, it *item, asSpan bool) {
	attrs.EnsureCapacity(16)
	attrs.PutStr(fieldSource, string(it.Source))
	if long := time.Duration(it.Entry.End - it.Start); !asSpan && long >= worthTelling {
		attrs.PutStr(fieldDuration, long.Round(time.Millisecond).String())
	}
	putMessages(attrs, it, asSpan)
	putFolded(attrs, it)
	diff := it.Events(attr.EventDiff)
	inferred := len(diff) > 0 && it.Text(attr.DiffJoin) == attr.DiffJoinInferred
	if len(diff) == 0 && it.observed != nil {
		diff, inferred = it.observed.Events(attr.EventDiff), it.inferred
	}
	if inferred {
		attrs.PutStr(fieldDiffJoin, attr.DiffJoinInferred)
	}
	for _, event := range diff {
		putDiff(attrs, event.Attributes())
	}
	putStored(attrs, it.Entry, asSpan)
	if it.observed != nil {
		putObserved(attrs, it)
	}
	putVersions(attrs, it)
	putSnapshot(attrs, it)
}

// putMessages leaves out what the status of a span has: Jaeger's page has a place for that, and an attribute "error" of its own.
func putMessages(attrs pcommon.Map, it *item, asSpan bool) {
	for _, event := range it.Events(attr.EventMessage) {
		if v, ok := event.Attributes().Get(attr.MessageText); ok {
			attrs.PutStr(fieldMessage, v.AsString())
		}
	}
	if message := it.Span.Status().Message(); it.Failed() && message != "" && !asSpan {
		attrs.PutStr(fieldError, message)
	}
}

// putFolded says for how many like it the entry stands, until when, and what they changed together.
func putFolded(attrs pcommon.Map, it *item) {
	count := it.Int(attr.FoldedCount)
	if count < 2 {
		return
	}
	text := fmt.Sprintf("%d like this", count)
	if last := it.Text(attr.FoldedLast); last != "" {
		text += ", the last at " + last
	}
	attrs.PutStr(fieldFolded, text)
	paths := texts(it.Entry, attr.FoldedFields)
	if cut, ok := it.Span.Attributes().Get(attr.FoldedFieldsCut); ok && cut.Bool() {
		paths = append(paths, "…")
	}
	if len(paths) > 0 {
		attrs.PutStr(fieldFoldedPaths, strings.Join(paths, ", "))
	}
}

func putDiff(attrs, diff pcommon.Map) {
	for path, v := range diff.All() {
		switch {
		case path == attr.DiffCut:
			attrs.PutStr(fieldDiffCut, "and "+v.AsString()+" more changes")
		case strings.HasPrefix(path, "metadata.managedFields"):
		case isVerbose(path):
			attrs.PutStr(fieldVerboseDiff+path, v.AsString())
		case strings.Contains(path, "managedFields") || strings.Contains(v.AsString(), `"managedFields"`):
			attrs.PutStr(fieldDiff+path, withoutManagedFields(v.AsString()))
		default:
			attrs.PutStr(fieldDiff+path, v.AsString())
		}
	}
}

// isVerbose is true of what changes with every write.
func isVerbose(path string) bool { return path == pathVersion || path == pathGeneration }

const (
	pathVersion    = "metadata.resourceVersion"
	pathGeneration = "metadata.generation"
)

// putStored copies the attributes of the stored span that are not for Kelemetry alone.
func putStored(attrs pcommon.Map, e *model.Entry, asSpan bool) {
	for key, v := range e.Span.Attributes().All() {
		if strings.HasPrefix(key, internalPrefix) || key == attr.Owners || !asSpan && isOnlyOnSpans(key, e) {
			continue
		}
		v.CopyTo(attrs.PutEmpty(key))
	}
}

// putObserved adds what the observation of a request's change tells beyond the request.
func putObserved(attrs pcommon.Map, it *item) {
	for _, key := range [...]string{attr.WatchDeletion, attr.Finalizers, attr.WatchInferred, attr.WatchDegraded} {
		if v, ok := it.observed.Span.Attributes().Get(key); ok {
			v.CopyTo(attrs.PutEmpty(key))
		}
	}
}

// putVersions says by which versions the change is bounded, unless the diff does.
func putVersions(attrs pcommon.Map, it *item) {
	before, after := it.Text(attr.PreviousResourceVersion), it.Version
	if it.observed != nil && before == "" {
		before = it.observed.Text(attr.PreviousResourceVersion)
	}
	if it.observed != nil && after == "" {
		after = it.observed.Version
	}
	if before != "" && after != "" && before != after {
		putNew(attrs, fieldVerboseDiff+pathVersion, fmt.Sprintf("%q -> %q", before, after))
	}
	if g := it.Int(attr.ObjectGeneration); g != 0 && it.generation != 0 && g != it.generation {
		putNew(attrs, fieldVerboseDiff+pathGeneration, fmt.Sprintf("%d -> %d", it.generation, g))
	}
}

func putNew(attrs pcommon.Map, key, value string) {
	if _, ok := attrs.Get(key); !ok {
		attrs.PutStr(key, value)
	}
}

func putSnapshot(attrs pcommon.Map, it *item) {
	snapshots := it.Events(attr.EventSnapshot)
	if len(snapshots) == 0 && it.observed != nil {
		snapshots = it.observed.Events(attr.EventSnapshot)
	}
	for _, event := range snapshots {
		if v, ok := event.Attributes().Get(attr.SnapshotObject); ok {
			attrs.PutStr(fieldSnapshot, withoutManagedFields(v.AsString()))
		}
		if v, ok := event.Attributes().Get(attr.SnapshotTruncated); ok && v.Type() == pcommon.ValueTypeBool && v.Bool() {
			attrs.PutBool(fieldTruncated, true)
		}
	}
}

// withoutManagedFields takes out of an object what receivers of ours never send.
func withoutManagedFields(text string) string {
	if !strings.Contains(text, `managedFields`) {
		return text
	}
	var object any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return "(not shown: it has managedFields and is no JSON)"
	}
	removeManagedFields(object)
	clean, err := json.Marshal(object)
	if err != nil {
		return "(not shown: it has managedFields)"
	}
	return string(clean)
}

// removeManagedFields goes into what the decoder made, whose depth it bounds.
func removeManagedFields(value any) {
	switch v := value.(type) {
	case map[string]any:
		delete(v, "managedFields")
		for _, below := range v {
			removeManagedFields(below)
		}
	case []any:
		for _, below := range v {
			removeManagedFields(below)
		}
	}
}
