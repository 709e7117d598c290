// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity // import "github.com/kelemetry/kelemetry/internal/identity"

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Domains keep hashes of different things apart.
const (
	domainObject     = "object"
	domainTrace      = "trace"
	domainObjectSpan = "object-span"
	domainAuditSpan  = "audit-span"
	domainEventSpan  = "event-span"
	domainWatchSpan  = "watch-span"
	domainLinkSpan   = "link-span"
	domainFoldedSpan = "folded-span"
)

// displayPrefix is the first byte of every display ID; a stored trace never starts with it.
const displayPrefix = 0xff

// ID is the object id: the first 56 bits of a hash of the key. It fits into a display ID.
type ID [7]byte

// String returns the 14 lower-case hex digits that the attribute kelemetry.object.id carries.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ObjectID computes the object id of a key.
func ObjectID(o Object) ID {
	var buf [stackBuffer]byte
	sum := sha256.Sum256(appendObject(appendField(buf[:0], domainObject), o))
	return ID(sum[:7])
}

// TraceID computes the trace of a root object in the window that starts at windowStart.
// Its first byte is never ff, which is kept for display IDs.
func TraceID(root Object, windowStart time.Time) pcommon.TraceID {
	var buf [stackBuffer]byte
	b := appendObject(appendField(buf[:0], domainTrace), root)
	b = binary.BigEndian.AppendUint64(b, uint64(windowStart.Unix()))
	sum := sha256.Sum256(b)
	if sum[0] == displayPrefix {
		sum[0] = 0x7f
	}
	return pcommon.TraceID(sum[:16])
}

// ObjectSpanID computes the ID of an object's own span in a trace.
func ObjectSpanID(trace pcommon.TraceID, id ID) pcommon.SpanID {
	var buf [stackBuffer]byte
	b := append(appendField(buf[:0], domainObjectSpan), trace[:]...)
	return spanID(append(b, id[:]...))
}

// AuditForm is the final form of an audit event's stage: an event that completed and one that panicked are the same
// request in its last form, so a request is one span however often, and in whichever final stage, it is delivered.
type AuditForm string

// The forms of an audit event.
const (
	AuditReceived AuditForm = "received"
	AuditStarted  AuditForm = "started"
	AuditComplete AuditForm = "complete"
)

// AuditSpanID computes the ID of the span of an audit event on the object whose own trace is given.
func AuditSpanID(trace pcommon.TraceID, auditID string, form AuditForm) pcommon.SpanID {
	var buf [stackBuffer]byte
	b := append(appendField(buf[:0], domainAuditSpan), trace[:]...)
	return spanID(appendField(appendField(b, auditID), string(form)))
}

// EventSpanID computes the ID of the span of one occurrence of an Event, told apart by its count.
func EventSpanID(trace pcommon.TraceID, eventUID string, count uint64) pcommon.SpanID {
	var buf [stackBuffer]byte
	b := append(appendField(buf[:0], domainEventSpan), trace[:]...)
	return spanID(binary.BigEndian.AppendUint64(appendField(b, eventUID), count))
}

// WatchSpanID computes the ID of the span of one observed change of an object.
func WatchSpanID(trace pcommon.TraceID, objectUID, resourceVersion, changeType string) pcommon.SpanID {
	var buf [stackBuffer]byte
	b := append(appendField(buf[:0], domainWatchSpan), trace[:]...)
	return spanID(appendField(appendField(appendField(b, objectUID), resourceVersion), changeType))
}

// FoldedSpanID computes the ID of the span that stands for many from that of the first of them.
func FoldedSpanID(first pcommon.SpanID) pcommon.SpanID {
	var buf [stackBuffer]byte
	return spanID(append(appendField(buf[:0], domainFoldedSpan), first[:]...))
}

// LinkSpanID computes the ID of the span that stands, in the trace that an object is in, for its relation to a target.
func LinkSpanID(trace pcommon.TraceID, object, target ID, role, class string) pcommon.SpanID {
	var buf [stackBuffer]byte
	b := append(appendField(buf[:0], domainLinkSpan), trace[:]...)
	b = append(append(b, object[:]...), target[:]...)
	return spanID(appendField(appendField(b, role), class))
}

// stackBuffer is enough for the fields of ordinary names, so that hashing does not allocate.
const stackBuffer = 512

func spanID(b []byte) pcommon.SpanID {
	sum := sha256.Sum256(b)
	id := pcommon.SpanID(sum[:8])
	if id.IsEmpty() {
		id[7] = 1 // the all-zero ID is invalid
	}
	return id
}

func appendObject(b []byte, o Object) []byte {
	for _, field := range [...]string{o.Cluster, o.Group, o.Resource, o.Namespace, o.Name} {
		b = appendField(b, field)
	}
	return b
}

// appendField delimits by length, so that no content, however hostile, can imitate a border.
func appendField(b []byte, field string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}
