// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"bytes"
	"cmp"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// describe adds what the bodies tell of the object. A dry run is not described: its object never existed.
func (m *spanMaker) describe(span ptrace.Span, e *auditevent.Event, s *subject, target redact.Target) {
	attrs := span.Attributes()
	putGenerateName(attrs, e, s)
	putBinding(attrs, e)
	if failed(e) || isDryRun(e) {
		return
	}
	putVersions(attrs, e, s)
	if s.described {
		putOwners(attrs, s.meta.Owners)
	}
	if s.whole && takesSnapshot(e) {
		m.appendSnapshot(span, e, target, e.ResponseObject, s.meta)
	}
}

// takesSnapshot is true of the first and the last state of an object. An apply that creates is a patch answered 201.
func takesSnapshot(e *auditevent.Event) bool {
	switch string(e.Verb) {
	case "create", "delete":
		return len(e.Ref.Subresource) == 0
	case "patch", "update":
		return len(e.Ref.Subresource) == 0 && e.Status.Code == 201
	default:
		return false
	}
}

func putVersions(attrs pcommon.Map, e *auditevent.Event, s *subject) {
	version := s.meta.ResourceVersion
	if len(version) == 0 {
		return
	}
	attrs.PutStr(attr.ObjectResourceVersion, clean(version))
	if s.meta.Generation != 0 {
		attrs.PutInt(attr.ObjectGeneration, s.meta.Generation)
	}
	if changes(e) && bytes.Equal(e.Ref.ResourceVersion, version) {
		attrs.PutBool(attr.AuditNoop, true)
	}
}

// changes is true of the requests that give a new resourceVersion to the object itself.
func changes(e *auditevent.Event) bool {
	return string(e.Verb) == "update" || string(e.Verb) == "patch"
}

// putOwners hands the owner references on. An empty list is knowledge too: the object has no owner.
func putOwners(attrs pcommon.Map, owners string) {
	attrs.PutStr(attr.Owners, cmp.Or(owners, identity.FormatOwners(nil)))
}

// putGenerateName says what a request asked for that did not come to a name, or not to one that we are told.
func putGenerateName(attrs pcommon.Map, e *auditevent.Event, s *subject) {
	if string(e.Verb) != "create" || len(e.Ref.Name) > 0 || len(e.RequestObject) == 0 {
		return
	}
	body, err := auditevent.DecodeBody(e.RequestObject)
	if err == nil && (s.Name == "" || s.described) {
		putText(attrs, attr.GenerateName, body.Metadata.GenerateName)
	}
}

func putBinding(attrs pcommon.Map, e *auditevent.Event) {
	if string(e.Ref.Resource) == "pods" && string(e.Ref.Subresource) == "binding" && len(e.RequestObject) > 0 {
		putText(attrs, attr.NodeName, auditevent.BindingTarget(e.RequestObject))
	}
}

// appendSnapshot adds the object as a span event; beyond the limits only its metadata.
func (m *spanMaker) appendSnapshot(
	span ptrace.Span, e *auditevent.Event, target redact.Target, body []byte, meta auditevent.Metadata,
) {
	if !m.snapshots.Enabled || m.redactor.DropsBody(target) {
		return
	}
	event := span.Events().AppendEmpty()
	event.SetName(attr.EventSnapshot)
	event.SetTimestamp(span.EndTimestamp())
	if len(e.Raw) <= m.maxEventSize && m.putSnapshot(event, target, body) {
		return
	}
	event.Attributes().PutBool(attr.SnapshotTruncated, true)
	m.putSnapshot(event, target, metadataOnly(meta))
}

// putSnapshot reports whether the redacted object is within the limit, and puts it on the event if so.
func (m *spanMaker) putSnapshot(event ptrace.SpanEvent, target redact.Target, body []byte) bool {
	text, redacted, err := m.redactor.AppendObject(m.buffer[:0], target, body)
	m.buffer = text[:0]
	if err != nil || len(text) > m.snapshots.MaxSize {
		return false
	}
	m.redacted += redacted
	event.Attributes().PutStr(attr.SnapshotObject, string(text))
	return true
}

func metadataOnly(meta auditevent.Metadata) []byte {
	text := append([]byte(`{"metadata":`), meta.Raw...)
	return append(text, '}')
}

// appendDeleted gives each object that a deletecollection deleted a span of its own, and the collection a list of them.
func (m *spanMaker) appendDeleted(batch *objectspan.Batch, e *auditevent.Event, s *subject, span ptrace.Span) {
	if failed(e) || isDryRun(e) || len(e.ResponseObject) == 0 {
		return
	}
	names := pcommon.NewSlice()
	count := 0
	err := auditevent.EachItem(e.ResponseObject, func(text []byte) error {
		count++
		item := *s
		body, err := auditevent.DecodeBody(text)
		if err != nil || len(body.Metadata.Name) == 0 {
			return nil //nolint:nilerr // what is no object has no span; the count tells of it
		}
		item.takeItem(body)
		if names.Len() < maxDeletedNames {
			names.AppendEmpty().SetStr(clean(body.Metadata.Name))
		}
		target := targetOf(e, &item.Resource)
		deleted := m.appendSpan(batch, e, item.Resource, target)
		putVersions(deleted.Attributes(), e, &item)
		putOwners(deleted.Attributes(), item.meta.Owners)
		m.appendSnapshot(deleted, e, target, text, item.meta)
		return nil
	})
	if err != nil || count == 0 {
		return // not a list: nothing was deleted, or an aggregated API answers in its own way
	}
	span.Attributes().PutInt(attr.AuditDeletedCount, int64(count))
	names.CopyTo(span.Attributes().PutEmptySlice(attr.AuditDeletedNames))
}

// maxDeletedNames bounds the list on the collection's span. Every deleted object has its own span in any case.
const maxDeletedNames = 100

// takeItem makes the subject of a collection that of one of its items, which need not repeat their kind.
func (s *subject) takeItem(body auditevent.Body) {
	meta := body.Metadata
	s.meta, s.described, s.whole, s.learned = meta, true, true, true
	s.Name, s.UID = string(meta.Name), string(meta.UID)
	if s.Kind == "" {
		s.Kind = string(body.Kind)
	}
	if t, ok := kinds.ByResource(s.Group, s.Object.Resource); !ok || t.Namespaced {
		s.Namespace = string(meta.Namespace)
	}
}
