// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"bytes"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
)

// terms are the conditions that a request sets on its answer, as far as metrics are made of them.
type terms struct {
	resourceVersion, continuation, labelSelector, fieldSelector []byte
	timeout, timeoutSeconds                                     []byte
}

// termsOf reads the query of a request. Values stay escaped.
func termsOf(query []byte) terms {
	var t terms
	for len(query) > 0 {
		var parameter []byte
		parameter, query, _ = bytes.Cut(query, []byte("&"))
		key, value, _ := bytes.Cut(parameter, []byte("="))
		if into := t.place(key); into != nil && *into == nil { // the API server takes the first, too
			*into = value
		}
	}
	return t
}

func (t *terms) place(parameter []byte) *[]byte {
	switch string(parameter) {
	case "resourceVersion":
		return &t.resourceVersion
	case "continue":
		return &t.continuation
	case "labelSelector":
		return &t.labelSelector
	case "fieldSelector":
		return &t.fieldSelector
	case "timeout":
		return &t.timeout
	case "timeoutSeconds":
		return &t.timeoutSeconds
	default:
		return nil
	}
}

// putTerms says how old an answer a read accepts and whether it selects, and of any request how much of the time that it
// was given it took.
func putTerms(attrs pcommon.Map, e *auditevent.Event, query []byte) {
	reads := isRead(e)
	if !reads && len(query) == 0 {
		return
	}
	t := termsOf(query)
	if reads {
		attrs.PutStr(attr.AuditReadVersion, t.versionClass())
		attrs.PutStr(attr.AuditReadSelector, t.selectorClass())
	}
	if limit := t.limit(string(e.Verb)); limit > 0 {
		start, end := times(e)
		attrs.PutDouble(attr.AuditTimeout, limit.Seconds())
		attrs.PutDouble(attr.AuditTimeoutRatio, max(end.Sub(start), 0).Seconds()/limit.Seconds())
	}
}

// isRead is true of what only looks, which a connection does not though its verb may be get.
func isRead(e *auditevent.Event) bool {
	switch verbClass(e) {
	case "get", "list", "watch":
		return true
	default:
		return false
	}
}

// versionClass is the kind of resourceVersion that a read asks for.
func (t *terms) versionClass() string {
	switch {
	case len(t.continuation) > 0:
		return "continue" // the page before it decided
	case len(t.resourceVersion) == 0:
		return "empty"
	case string(t.resourceVersion) == "0":
		return "zero"
	default:
		return "nonzero"
	}
}

func (t *terms) selectorClass() string {
	switch label, field := len(t.labelSelector) > 0, len(t.fieldSelector) > 0; {
	case label && field:
		return "label,field"
	case label:
		return "label"
	case field:
		return "field"
	default:
		return "none"
	}
}

// limit is how long the API server lets the request last, if the client said so: watches by one parameter, all else by another.
func (t *terms) limit(verb string) time.Duration {
	if verb == "watch" {
		seconds, err := strconv.ParseInt(string(t.timeoutSeconds), 10, 32)
		if err != nil {
			return 0
		}
		return time.Duration(seconds) * time.Second
	}
	limit, err := time.ParseDuration(string(t.timeout))
	if err != nil {
		return 0
	}
	return limit
}
