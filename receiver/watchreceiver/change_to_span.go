// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/internal/redact"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

// spanMaker turns changes into spans. It does not change.
type spanMaker struct {
	cluster   string
	diff      DiffConfig
	snapshots SnapshotConfig
	redactor  *redact.Redactor
	// ownMarks is set if redacted values are marked with the receiver's own key, to tell them apart, and not with one of the
	// user's. Such marks are taken off.
	ownMarks bool
}

func (m *spanMaker) append(batch *objectspan.Batch, c *change) {
	h := &c.header
	managers := managersOf(c)
	at := timeOf(c, managers)
	span := batch.Append(objectspan.Resource{
		Object: identity.Object{
			Cluster: m.cluster, Group: c.target.Group, Resource: c.target.Resource, Namespace: h.Namespace, Name: h.Name,
		},
		Kind: c.target.Kind, APIVersion: c.target.GroupVersion().String(), UID: h.UID,
	}, attr.SpanTypeWatch, at, at)
	span.SetName(string(c.changeType))
	span.SetSpanID(identity.WatchSpanID(span.TraceID(), h.UID, h.ResourceVersion, string(c.changeType)))
	putHeader(span.Attributes(), c)
	putManagers(span.Attributes(), managers)
	if c.changeType == updated {
		m.putDiff(span, c)
	} else {
		m.putSnapshot(span, c)
	}
}

// managersOf returns who made the change. Who deletes an object leaves no trace in it.
func managersOf(c *change) []object.Manager {
	switch {
	case c.changeType == deleted:
		return nil
	case c.changeType == created || c.degraded == attr.WatchDegradedSkipped:
		return object.Latest(c.header.ManagedFields)
	default:
		return object.Who(c.header.ManagedFields, c.diff.Changes)
	}
}

// closeEnough is how much later than the object says a change may be observed for the observation to count, which is more
// exact: objects tell their times by the second.
const closeEnough = 30 * time.Second

// timeOf is when the change was observed. After an interruption, and when the pipeline was behind, that can be long after
// it was made: then the time counts that the object itself tells.
func timeOf(c *change, managers []object.Manager) time.Time {
	told := c.by
	if c.changeType == created {
		told = c.header.Created
	}
	for i := range managers {
		m := &managers[i]
		if c.changeType == updated && (m.Fields > 0 || c.inferred) && m.At().After(told) {
			told = m.At()
		}
	}
	late := c.observed.Sub(told)
	if told.IsZero() || late < 0 || !c.inferred && late <= closeEnough {
		return c.observed
	}
	return told
}

func putHeader(attrs pcommon.Map, c *change) {
	h := &c.header
	attrs.PutStr(attr.ObjectResourceVersion, h.ResourceVersion)
	if c.before.ResourceVersion != "" {
		attrs.PutStr(attr.PreviousResourceVersion, c.before.ResourceVersion)
	}
	if h.Generation != 0 {
		attrs.PutInt(attr.ObjectGeneration, h.Generation)
	}
	if h.ObservedGeneration != 0 {
		attrs.PutInt(attr.ObservedGeneration, h.ObservedGeneration)
	}
	attrs.PutStr(attr.Owners, identity.FormatOwners(h.Owners))
	if h.DeletionTimestamp != "" {
		attrs.PutStr(attr.DeletionTimestamp, h.DeletionTimestamp)
		if c.changeType != deleted {
			putStrings(attrs, attr.Finalizers, h.Finalizers)
		}
	}
	putStrings(attrs, attr.WatchDeletion, deletionSteps(c))
	if c.inferred {
		attrs.PutBool(attr.WatchInferred, true)
	}
	if c.degraded != "" {
		attrs.PutStr(attr.WatchDegraded, c.degraded)
	}
}

// deletionSteps lists what the change meant for the deletion of the object. The last state of one that is gone still has
// the finalizers that it had waited for: the write that removes the last one is never stored.
func deletionSteps(c *change) []string {
	var steps []string
	switch {
	case c.changeType == deleted && c.header.DeletionTimestamp != "":
		for _, finalizer := range c.header.Finalizers {
			steps = append(steps, attr.WatchDeletionFinalizerPrefix+finalizer)
		}
		steps = append(steps, attr.WatchDeletionCompleted)
	case c.changeType == deleted:
		steps = append(steps, attr.WatchDeletionCompleted)
	case c.changeType == updated && c.before.ResourceVersion != "" && c.header.DeletionTimestamp != "":
		if c.before.DeletionTimestamp == "" {
			steps = append(steps, attr.WatchDeletionRequested)
		}
		for _, finalizer := range c.before.Finalizers {
			if !slices.Contains(c.header.Finalizers, finalizer) {
				steps = append(steps, attr.WatchDeletionFinalizerPrefix+finalizer)
			}
		}
	}
	return steps
}

func putManagers(attrs pcommon.Map, managers []object.Manager) {
	if len(managers) == 0 {
		return
	}
	var names []string
	for i := range managers {
		if !slices.Contains(names, managers[i].Manager) {
			names = append(names, managers[i].Manager)
		}
	}
	putStrings(attrs, attr.WatchManagers, names)
	if text, err := json.Marshal(managers); err == nil {
		attrs.PutStr(attr.WatchFieldManagers, string(text))
	}
}

func putStrings(attrs pcommon.Map, key string, values []string) {
	if len(values) == 0 {
		return
	}
	list := attrs.PutEmptySlice(key)
	list.EnsureCapacity(len(values))
	for _, value := range values {
		list.AppendEmpty().SetStr(value)
	}
}

// putDiff adds the changes as a span event.
func (m *spanMaker) putDiff(span ptrace.Span, c *change) {
	if c.degraded == attr.WatchDegradedSkipped {
		return
	}
	span.Attributes().PutInt(attr.WatchChanges, int64(len(c.diff.Changes)+c.diff.Cut))
	shown := c.diff.Changes
	if m.diff.Verbose {
		shown = slices.Concat(shown, c.diff.Noise)
	}
	if len(shown) == 0 {
		return
	}
	event := span.Events().AppendEmpty()
	event.SetName(attr.EventDiff)
	event.SetTimestamp(span.EndTimestamp())
	attrs := event.Attributes()
	attrs.EnsureCapacity(len(shown) + 1)
	cut, size := c.diff.Cut, 0
	for i := range shown {
		name, text := m.write(&shown[i])
		if size += len(name) + len(text); size > m.diff.MaxSize && i > 0 {
			cut += len(shown) - i
			break
		}
		putSplit(attrs, name, text)
	}
	if cut > 0 {
		attrs.PutInt(attr.DiffCut, int64(cut))
	}
}

const (
	// maxAttribute is where back ends begin to cut attributes without saying so.
	maxAttribute = 2048
	// maxName is for the names of attributes, which keys in data of people can make long.
	maxName = 512
)

func (m *spanMaker) write(c *diff.Change) (name, text string) {
	name = c.Name()
	if len(name) > maxName {
		name = cutAt(name, maxName) + "…"
	}
	return m.unmarked(name), m.unmarked(c.Text(m.diff.MaxValueSize))
}

// putSplit puts a text into as many attributes as it takes: path (1/3), path (2/3), path (3/3).
func putSplit(attrs pcommon.Map, name, text string) {
	if len(text) <= maxAttribute {
		attrs.PutStr(name, text)
		return
	}
	var parts []string
	for len(text) > maxAttribute {
		part := cutAt(text, maxAttribute)
		parts, text = append(parts, part), text[len(part):]
	}
	parts = append(parts, text)
	for i, part := range parts {
		attrs.PutStr(fmt.Sprintf("%s (%d/%d)", name, i+1, len(parts)), part)
	}
}

func cutAt(text string, most int) string {
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// putSnapshot adds the object as a span event; beyond the limit only its metadata.
func (m *spanMaker) putSnapshot(span ptrace.Span, c *change) {
	target := redact.Target{
		Group: c.target.Group, Version: c.target.Version, Resource: c.target.Resource, Namespace: c.header.Namespace, Name: c.header.Name,
	}
	if !m.snapshots.Enabled || len(c.text) == 0 || m.redactor.DropsBody(target) {
		return
	}
	event := span.Events().AppendEmpty()
	event.SetName(attr.EventSnapshot)
	event.SetTimestamp(span.EndTimestamp())
	text := m.unmarked(string(c.text))
	if len(text) > m.snapshots.MaxSize {
		event.Attributes().PutBool(attr.SnapshotTruncated, true)
		if text = m.unmarked(string(states.MetadataOf(c.text))); len(text) > m.snapshots.MaxSize {
			return
		}
	}
	event.Attributes().PutStr(attr.SnapshotObject, text)
}

// mark is a redacted value with its hash. Markers are written by package redact, without escapes.
var mark = regexp.MustCompile(`<redacted:[0-9a-f]{8}>`)

func (m *spanMaker) unmarked(text string) string {
	if !m.ownMarks {
		return text
	}
	return mark.ReplaceAllLiteralString(text, redact.Redacted)
}
