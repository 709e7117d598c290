// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// typeWarning is the type of Events that tell of something that is not as it should be.
const typeWarning = "Warning"

// spanMaker turns occurrences into spans. It does not change, and is safe for concurrent use.
type spanMaker struct {
	objects          objects
	redactor         *redact.Redactor
	window           identity.Window
	warningsAsErrors bool
}

// append adds the span of an occurrence to its object.
func (m *spanMaker) append(batch *objectspan.Batch, o *occurrence, on objectspan.Resource) {
	e := o.event
	span := batch.Append(on, attr.SpanTypeEvent, o.start, o.end)
	span.SetSpanID(identity.EventSpanID(span.TraceID(), string(e.UID), o.count))
	span.SetName(clean(e.Reason, maxText))

	attrs := span.Attributes()
	attrs.EnsureCapacity(24)
	putText(attrs, attr.EventReason, e.Reason)
	putText(attrs, attr.EventAction, e.Action)
	putText(attrs, attr.EventType, e.Type)
	putText(attrs, attr.EventUID, string(e.UID))
	putText(attrs, attr.EventName, e.Name)
	putText(attrs, attr.EventNamespace, e.Namespace)
	attrs.PutInt(attr.EventCount, int64(o.count))
	if o.increase > 0 {
		attrs.PutInt(attr.EventIncrease, int64(o.increase))
	}
	attrs.PutStr(attr.EventStartTime, o.first.Format(time.RFC3339Nano))
	putText(attrs, attr.EventReportingController, controllerOf(e))
	putText(attrs, attr.EventReportingInstance, instanceOf(e))
	putText(attrs, attr.ObjectFieldPath, e.Regarding.FieldPath)

	if e.Type == typeWarning && m.warningsAsErrors {
		span.Status().SetCode(ptrace.StatusCodeError)
		putText(attrs, attr.ErrorType, e.Reason)
	}
	m.appendMessage(span, o, on)
	m.relate(span, o, on)
}

func (m *spanMaker) appendMessage(span ptrace.Span, o *occurrence, on objectspan.Resource) {
	if o.event.Note == "" {
		return
	}
	_, version := identity.GroupVersion(on.APIVersion)
	target := redact.Target{
		Group: on.Group, Version: version, Resource: on.Object.Resource, Namespace: on.Namespace, Name: on.Name,
	}
	// Redacted as a whole: what a cut leaves may not be told for what it is.
	text, _ := m.redactor.Message(target, strings.ToValidUTF8(o.event.Note, "\uFFFD"))
	message := span.Events().AppendEmpty()
	message.SetName(attr.EventMessage)
	message.SetTimestamp(span.StartTimestamp())
	message.Attributes().PutStr(attr.MessageText, clean(text, maxMessage))
}

// relate links the span to the related object's own span, in the trace that this has as its own root. Not every back end
// keeps links, and few their attributes: so the span has them as well.
func (m *spanMaker) relate(span ptrace.Span, o *occurrence, on objectspan.Resource) {
	if o.event.Related == nil {
		return
	}
	related, ok := m.objects.of(o.event.Related, o.event.Namespace)
	if !ok {
		return
	}
	id := identity.ObjectID(related.Object)
	put := func(attrs pcommon.Map) {
		attrs.PutStr(attr.RelatedID, id.String())
		putText(attrs, attr.RelatedKind, related.Kind)
		putText(attrs, attr.RelatedAPIVersion, related.APIVersion)
		putText(attrs, attr.RelatedGroup, related.Group)
		putText(attrs, attr.RelatedResource, related.Object.Resource)
		putText(attrs, attr.RelatedNamespace, related.Namespace)
		putText(attrs, attr.RelatedName, related.Name)
		putText(attrs, attr.RelatedUID, related.UID)
	}
	put(span.Attributes())
	if related.Object == on.Object {
		return
	}
	link := span.Links().AppendEmpty()
	link.SetTraceID(identity.TraceID(related.Object, m.window.Start(o.start)))
	link.SetSpanID(identity.ObjectSpanID(link.TraceID(), id))
	put(link.Attributes())
}

// Bounds on what one Event may put on a span.
const (
	maxText    = 1024
	maxMessage = 2048 // some back ends cut attributes here, silently
)

func putText(attrs pcommon.Map, key, text string) {
	if text != "" {
		attrs.PutStr(key, clean(text, maxText))
	}
}

// clean makes text valid UTF-8 of bounded length; a cut shows as an ellipsis.
func clean(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
