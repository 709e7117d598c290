// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// recordMaker turns audit events into log records whose body is the event's JSON, redacted. It is not safe for
// concurrent use.
type recordMaker struct {
	redactor     *redact.Redactor
	maxEventSize int
	records      plog.LogRecordSlice
	buffer       []byte
	redacted     int
}

func newRecordMaker(logs plog.Logs, c *Converter, cluster string) recordMaker {
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr(attr.ServiceName, cluster)
	resource.Resource().Attributes().PutStr(attr.ClusterName, cluster)
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(c.scope.Name)
	scope.Scope().SetVersion(c.scope.Version)
	return recordMaker{redactor: c.redactor, maxEventSize: c.config.MaxEventSize, records: scope.LogRecords()}
}

func (m *recordMaker) append(e *auditevent.Event, cluster string) {
	subject := subjectOf(e, cluster)
	target := targetOf(e, &subject.Resource)
	target.Sensitive = hidden(m.redactor, e)
	rewriter := eventRewriter{
		recordMaker: m, target: target, omitBodies: len(e.Raw) > m.maxEventSize, out: m.buffer[:0],
		scan: jsonscan.New(e.Raw),
	}
	err := rewriter.event()
	m.buffer = rewriter.out[:0]

	record := m.records.AppendEmpty()
	start, end := times(e)
	record.SetTimestamp(pcommon.NewTimestampFromTime(start))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(end))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	if failed(e) {
		record.SetSeverityNumber(plog.SeverityNumberWarn)
	}
	record.SetEventName("k8s.audit")
	putRecord(record.Attributes(), e, &subject.Resource)
	if rewriter.omitBodies {
		record.Attributes().PutBool(attr.AuditBodyOmitted, true)
	}
	if err == nil { // decoding has proven the event well-formed
		record.Body().SetStr(strings.ToValidUTF8(string(rewriter.out), "\uFFFD"))
	}
}

func putRecord(attrs pcommon.Map, e *auditevent.Event, r *objectspan.Resource) {
	attrs.PutStr(attr.AuditID, clean(e.AuditID))
	attrs.PutStr(attr.AuditStage, clean(e.Stage))
	attrs.PutStr(attr.AuditVerb, clean(e.Verb))
	attrs.PutStr(attr.UserName, clean(actor(e).Name))
	putText(attrs, attr.AuditSubresource, e.Ref.Subresource)
	if e.Status.Code != 0 {
		attrs.PutInt(attr.HTTPResponseStatus, e.Status.Code)
	}
	if r.Object.Resource != "" {
		attrs.PutStr(attr.ObjectGroup, r.Group)
		attrs.PutStr(attr.ObjectResource, r.Object.Resource)
		putText(attrs, attr.Namespace, []byte(r.Namespace))
		putText(attrs, attr.ObjectName, []byte(r.Name))
	}
}

// eventRewriter copies an event's JSON without what is secret, and otherwise as the API server wrote it.
type eventRewriter struct {
	*recordMaker
	target     redact.Target
	omitBodies bool
	scan       jsonscan.Scanner
	out        []byte
}

func (w *eventRewriter) event() error {
	return w.object(func(key []byte) error {
		switch string(key) {
		case "requestURI":
			return w.text(key, func(value string) string { return w.uri(value) })
		case "requestObject", "responseObject":
			return w.body(key)
		case "responseStatus":
			return w.member(key, w.status)
		case "annotations":
			return w.member(key, w.annotations)
		default:
			return w.copy(key)
		}
	})
}

func (w *eventRewriter) status() error {
	return w.object(func(key []byte) error {
		switch string(key) {
		case "message":
			return w.text(key, w.message)
		case "details":
			return w.member(key, w.details)
		default:
			return w.copy(key)
		}
	})
}

func (w *eventRewriter) details() error {
	return w.object(func(key []byte) error {
		if string(key) != "causes" || w.scan.Next() != jsonscan.Array {
			return w.copy(key)
		}
		w.key(key)
		w.out = append(w.out, '[')
		err := w.scan.Array(func() error {
			w.comma('[')
			return w.object(func(key []byte) error {
				if string(key) == "message" {
					return w.text(key, w.message)
				}
				return w.copy(key)
			})
		})
		w.out = append(w.out, ']')
		return err
	})
}

func (w *eventRewriter) annotations() error {
	return w.object(func(key []byte) error {
		name := string(key)
		switch {
		case strings.HasPrefix(name, annotationPatch):
			w.redacted++
			return w.text(key, func(string) string { return redact.Redacted })
		case quotesNothing(name):
			return w.copy(key)
		default:
			return w.text(key, w.message)
		}
	})
}

// body writes a request or response body, unless it must not leave or is too large.
func (w *eventRewriter) body(key []byte) error {
	text, err := w.scan.Raw()
	if err != nil || w.omitBodies || w.redactor.DropsBody(w.target) {
		return err
	}
	before := len(w.out)
	w.key(key)
	out, redacted, err := w.redactor.AppendPatch(w.out, w.target, text)
	if err != nil {
		w.out = w.out[:before]
		return nil //nolint:nilerr // what cannot be redacted does not leave
	}
	w.out = out
	w.redacted += redacted
	return nil
}

func (w *eventRewriter) message(value string) string {
	message, _ := w.redactor.Message(w.target, value)
	return message
}

func (w *eventRewriter) uri(value string) string {
	path, query, found := strings.Cut(value, "?")
	path = w.redactor.Path(w.target, path)
	if !found {
		return path
	}
	return path + "?" + w.redactor.Query(query)
}

// object writes an object whose members are written by member; another value is left out as null.
func (w *eventRewriter) object(member func(key []byte) error) error {
	if w.scan.Next() != jsonscan.Object {
		w.out = append(w.out, "null"...)
		return w.scan.Skip()
	}
	w.out = append(w.out, '{')
	err := w.scan.Object(member)
	w.out = append(w.out, '}')
	return err
}

func (w *eventRewriter) member(key []byte, value func() error) error {
	w.key(key)
	return value()
}

func (w *eventRewriter) copy(key []byte) error {
	text, err := w.scan.Raw()
	if err != nil {
		return err
	}
	w.key(key)
	w.out = append(w.out, text...)
	return nil
}

func (w *eventRewriter) text(key []byte, change func(string) string) error {
	value, err := w.scan.Str()
	if err != nil {
		return err
	}
	w.key(key)
	w.out = jsonscan.AppendQuote(w.out, change(value))
	return nil
}

func (w *eventRewriter) key(key []byte) {
	w.comma('{')
	w.out = append(jsonscan.AppendQuote(w.out, string(key)), ':')
}

// comma separates from a member before, which there is unless the last byte opens the collection.
func (w *eventRewriter) comma(open byte) {
	if w.out[len(w.out)-1] != open {
		w.out = append(w.out, ',')
	}
}
