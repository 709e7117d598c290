// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// spanMaker turns audit events into spans. It reuses a buffer and is not safe for concurrent use.
type spanMaker struct {
	redactor     *redact.Redactor
	snapshots    SnapshotConfig
	maxEventSize int

	buffer   []byte
	redacted int // values redacted so far
}

// append adds the event's span to its object, and those of the objects that a deletecollection deleted.
func (m *spanMaker) append(batch *objectspan.Batch, e *auditevent.Event, s *subject) {
	s.learn(e)
	target := targetOf(e, &s.Resource)
	span := m.appendSpan(batch, e, s.Resource, target)
	if string(e.Verb) == verbDeleteCollection {
		m.appendDeleted(batch, e, s, span)
		return
	}
	m.describe(span, e, s, target)
}

// appendSpan adds what every audit span has.
func (m *spanMaker) appendSpan(batch *objectspan.Batch, e *auditevent.Event, r objectspan.Resource, target redact.Target) ptrace.Span {
	start, end := times(e)
	span := batch.Append(r, attr.SpanTypeAudit, start, end)
	span.SetSpanID(identity.AuditSpanID(span.TraceID(), string(e.AuditID), form(e)))
	span.SetName(m.spanName(e))
	attrs := span.Attributes()
	attrs.EnsureCapacity(28)
	m.putRequest(attrs, e, target)
	putUsers(attrs, e)
	putSources(attrs, e)
	m.putAnnotations(attrs, e, target)
	m.setStatus(span, e, target)
	if len(e.Raw) > m.maxEventSize {
		attrs.PutBool(attr.AuditBodyOmitted, true)
	}
	return span
}

func times(e *auditevent.Event) (start, end time.Time) {
	start, end = e.RequestReceived, e.StageTime
	if start.IsZero() {
		start = end
	}
	if end.IsZero() {
		end = start
	}
	return start, end
}

func form(e *auditevent.Event) identity.AuditForm {
	switch string(e.Stage) {
	case auditevent.StageRequestReceived:
		return identity.AuditReceived
	case auditevent.StageResponseStarted:
		return identity.AuditStarted
	default:
		return identity.AuditComplete
	}
}

// spanName is "alice patch status", and "alice patch status (Conflict)" on failure.
func (m *spanMaker) spanName(e *auditevent.Event) string {
	name := m.buffer[:0]
	name = append(name, share(e, actor(e).Name)...)
	name = append(name, ' ')
	name = append(name, share(e, e.Verb)...)
	if len(e.Ref.Subresource) > 0 {
		name = append(name, ' ')
		name = append(name, share(e, e.Ref.Subresource)...)
	}
	if failed(e) {
		name = append(name, " ("...)
		name = append(name, errorType(e)...)
		name = append(name, ')')
	}
	m.buffer = name[:0]
	return e.Strings.Of(name)
}

// actor is the user in whose name the request was carried out.
func actor(e *auditevent.Event) *auditevent.User {
	if len(e.Impersonated.Name) > 0 {
		return &e.Impersonated
	}
	return &e.User
}

func failed(e *auditevent.Event) bool {
	return e.Status.Code >= 400 || string(e.Stage) == auditevent.StagePanic
}

func errorType(e *auditevent.Event) string {
	switch {
	case len(e.Status.Reason) > 0:
		return share(e, e.Status.Reason)
	case e.Status.Code >= 400:
		return strconv.FormatInt(e.Status.Code, 10)
	default:
		return auditevent.StagePanic
	}
}

func (m *spanMaker) putRequest(attrs pcommon.Map, e *auditevent.Event, target redact.Target) {
	attrs.PutStr(attr.AuditID, clean(e.AuditID))
	attrs.PutStr(attr.AuditLevel, share(e, e.Level))
	attrs.PutStr(attr.AuditStage, share(e, e.Stage))
	attrs.PutStr(attr.AuditVerb, share(e, e.Verb))
	putShared(attrs, attr.AuditSubresource, e, e.Ref.Subresource)
	putText(attrs, attr.PreviousResourceVersion, e.Ref.ResourceVersion)
	path, query, _ := bytes.Cut(e.RequestURI, []byte("?"))
	if len(path) > 0 {
		attrs.PutStr(attr.URLPath, cut(m.redactor.Path(target, string(path))))
	}
	if len(query) > 0 {
		attrs.PutStr(attr.URLQuery, cut(m.redactor.Query(string(query))))
	}
	if isDryRun(e) {
		attrs.PutBool(attr.AuditDryRun, true)
	}
	putTerms(attrs, e, query)
	if method, ok := httpMethods[string(e.Verb)]; ok {
		attrs.PutStr(attr.HTTPRequestMethod, method)
	}
	if e.Status.Code != 0 {
		attrs.PutInt(attr.HTTPResponseStatus, e.Status.Code)
	}
}

// httpMethods are the methods that the API server makes these verbs from.
var httpMethods = map[string]string{
	"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", verbDeleteCollection: "DELETE",
	"get": "GET", "list": "GET", "watch": "GET",
}

func isDryRun(e *auditevent.Event) bool {
	_, query, _ := bytes.Cut(e.RequestURI, []byte("?"))
	for len(query) > 0 {
		var parameter []byte
		parameter, query, _ = bytes.Cut(query, []byte("&"))
		if key, value, _ := bytes.Cut(parameter, []byte("=")); string(key) == "dryRun" && len(value) > 0 {
			return true
		}
	}
	return false
}

func putUsers(attrs pcommon.Map, e *auditevent.Event) {
	user := actor(e)
	name := share(e, user.Name)
	attrs.PutStr(attr.UserName, name)
	attrs.PutStr(attr.AuditUserClass, userClass(name))
	putShared(attrs, attr.UserID, e, user.UID)
	putTexts(attrs, attr.UserRoles, e, user.Groups)
	putShared(attrs, attr.AuditUserPod, e, user.Pod)
	putShared(attrs, attr.AuditUserNode, e, user.Node)
	if user == &e.Impersonated {
		attrs.PutStr(attr.AuditImpersonatorName, share(e, e.User.Name))
		putShared(attrs, attr.AuditImpersonatorID, e, e.User.UID)
	}
}

// userClass is the user's name where users are few: there is one for each node.
func userClass(name string) string {
	if strings.HasPrefix(name, "system:node:") {
		return "system:nodes"
	}
	return name
}

func putSources(attrs pcommon.Map, e *auditevent.Event) {
	putShared(attrs, attr.UserAgent, e, e.UserAgent)
	if n := len(e.SourceIPs); n > 0 {
		putShared(attrs, attr.ClientAddress, e, e.SourceIPs[n-1])
		putTexts(attrs, attr.AuditForwardedFor, e, e.SourceIPs[:n-1])
	}
}

func (m *spanMaker) setStatus(span ptrace.Span, e *auditevent.Event, target redact.Target) {
	if !failed(e) {
		return
	}
	message, _ := m.redactor.Message(target, cleanLimit(e.Status.Message, maxMessage))
	span.Status().SetCode(ptrace.StatusCodeError)
	span.Status().SetMessage(message)
	attrs := span.Attributes()
	attrs.PutStr(attr.ErrorType, errorType(e))
	if len(e.Status.Causes) == 0 {
		return
	}
	causes := attrs.PutEmptySlice(attr.AuditCauses)
	for _, cause := range e.Status.Causes[:min(len(e.Status.Causes), maxCauses)] {
		message, _ := m.redactor.Message(target, cleanLimit(cause.Message, maxText))
		causes.AppendEmpty().SetStr(clean(cause.Field) + ": " + message + " (" + clean(cause.Reason) + ")")
	}
}

// targetOf says what is to be redacted.
func targetOf(e *auditevent.Event, object *objectspan.Resource) redact.Target {
	return redact.Target{
		Group: object.Group, Version: e.Strings.Of(e.Ref.Version), Resource: object.Object.Resource,
		Subresource: e.Strings.Of(e.Ref.Subresource),
		Namespace:   object.Namespace, Name: object.Name,
	}
}

// hidden is true of an object that asks to be hidden. It may say so in the response alone, while what is hidden is told by
// the request that patches it, or by a message. To find out, both bodies are read.
func hidden(r *redact.Redactor, e *auditevent.Event) bool {
	for _, body := range [][]byte{e.ResponseObject, e.RequestObject} {
		if len(body) > 0 && body[0] == '{' && r.Labeled(body) { // a JSON patch, which is a list, has no labels
			return true
		}
	}
	return false
}

// Bounds on what one event may put on a span.
const (
	maxText    = 1024
	maxMessage = 2048 // some back ends cut attributes here, silently
	maxCauses  = 32
	maxTexts   = 64
)

func putText(attrs pcommon.Map, key string, text []byte) {
	if len(text) > 0 {
		attrs.PutStr(key, clean(text))
	}
}

func putShared(attrs pcommon.Map, key string, e *auditevent.Event, text []byte) {
	if len(text) > 0 {
		attrs.PutStr(key, share(e, text))
	}
}

func putTexts(attrs pcommon.Map, key string, e *auditevent.Event, texts [][]byte) {
	if len(texts) == 0 {
		return
	}
	slice := attrs.PutEmptySlice(key)
	slice.EnsureCapacity(min(len(texts), maxTexts))
	for _, text := range texts[:min(len(texts), maxTexts)] {
		slice.AppendEmpty().SetStr(share(e, text))
	}
}

// share is clean for texts that many events have in common, which are copied once.
func share(e *auditevent.Event, text []byte) string { return shareLimit(e, text, maxText) }

func shareLimit(e *auditevent.Event, text []byte, limit int) string {
	if len(text) <= limit && utf8.Valid(text) {
		return e.Strings.Of(text)
	}
	return cleanLimit(text, limit)
}

// clean copies text as valid UTF-8 of bounded length; a cut shows as an ellipsis.
func clean(text []byte) string { return cleanLimit(text, maxText) }

func cleanLimit(text []byte, limit int) string {
	if len(text) <= limit && utf8.Valid(text) {
		return string(text)
	}
	return limitText(strings.ToValidUTF8(string(text[:min(len(text), limit+1)]), "\uFFFD"), limit)
}

func cut(text string) string { return limitText(text, maxText) }

func limitText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
