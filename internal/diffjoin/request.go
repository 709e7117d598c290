// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diffjoin // import "github.com/kelemetry/kelemetry/internal/diffjoin"

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// Request is what is known of a request that may have made a change.
type Request struct {
	// ID is the span's. A request that is delivered again has the same.
	ID         pcommon.SpanID
	Start, End time.Time
	// UID is the object's; empty if it is not known.
	UID string
	// Version is the resourceVersion that the request made; empty if the audit level does not give it.
	Version string
	// Previous is the resourceVersion that an update was based on; empty if it was based on none.
	Previous string
	// Manager is the field manager that the API server took the request for.
	Manager     string
	Subresource string

	effect effect
}

// effect is what kind of change a request can make.
type effect int8

const (
	// writes fields in its manager's name.
	writes effect = iota
	// deletes requests deletion, and has no manager.
	deletes
	// binds puts a Pod on a node, and has no manager.
	binds
)

// ReadRequest reads an audit span. It is false of a request that made no change of which there can be a diff: one that
// failed, was a dry run, changed nothing, created the object, or does not write.
func ReadRequest(span ptrace.Span) (Request, bool) {
	attrs := span.Attributes()
	if text(attrs, attr.SpanType) != attr.SpanTypeAudit || text(attrs, attr.AuditStage) != stageComplete {
		return Request{}, false
	}
	r := Request{ID: span.SpanID(), Subresource: text(attrs, attr.AuditSubresource)}
	var ok bool
	if r.effect, ok = effectOf(text(attrs, attr.AuditVerb), r.Subresource); !ok || !succeeded(attrs) {
		return Request{}, false
	}
	r.Start, r.End = span.StartTimestamp().AsTime(), span.EndTimestamp().AsTime()
	r.Version = text(attrs, attr.ObjectResourceVersion)
	r.Previous = text(attrs, attr.PreviousResourceVersion)
	if r.effect == writes {
		r.Manager = managerOf(text(attrs, attr.URLQuery), text(attrs, attr.UserAgent))
	}
	return r, true
}

// stageComplete is the stage of a request that was carried out.
const stageComplete = "ResponseComplete"

func effectOf(verb, subresource string) (effect, bool) {
	switch {
	case verb == "update", verb == "patch":
		return writes, true
	case verb == "delete" && subresource == "", verb == "deletecollection" && subresource == "",
		verb == "create" && subresource == "eviction":
		return deletes, true
	case verb == "create" && subresource == "binding":
		return binds, true
	default:
		return 0, false
	}
}

// succeeded is true of a request that can have changed an object that was there before.
func succeeded(attrs pcommon.Map) bool {
	code, ok := attrs.Get(attr.HTTPResponseStatus)
	created := ok && code.Int() == 201 && text(attrs, attr.AuditVerb) != "create"
	return text(attrs, attr.ErrorType) == "" && !created && !isTrue(attrs, attr.AuditDryRun) && !isTrue(attrs, attr.AuditNoop)
}

// maxManager is how long the name of a field manager can be.
const maxManager = 128

// managerOf does as the API server: the manager is the one that the request names, else the user agent up to the first
// slash, of printable characters.
func managerOf(query, userAgent string) string {
	if strings.Contains(query, "fieldManager=") {
		if values, err := url.ParseQuery(query); err == nil && values.Get("fieldManager") != "" {
			return values.Get("fieldManager")
		}
	}
	name, _, _ := strings.Cut(userAgent, "/")
	if plain(name) {
		return orUnknown(name)
	}
	var b strings.Builder
	for _, r := range name {
		if !unicode.IsPrint(r) {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > maxManager {
			break
		}
		b.WriteRune(r)
	}
	return orUnknown(b.String())
}

// plain is true of what need not be looked at by the rune.
func plain(name string) bool {
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return false
		}
	}
	return len(name) <= maxManager
}

func orUnknown(name string) string {
	if name == "" {
		return "unknown"
	}
	return name
}

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.Str()
	}
	return ""
}

func isTrue(attrs pcommon.Map, key string) bool {
	v, ok := attrs.Get(key)
	return ok && v.Bool()
}
