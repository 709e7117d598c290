// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of OTLP's TracesData, ResourceSpans, ScopeSpans and Span.
const (
	fieldResourceSpans = 1
	fieldSpansBelow    = 2 // ScopeSpans of ResourceSpans, Spans of ScopeSpans
)

// Fields of a span that are in its key, and their length with tag and length.
const (
	fieldTraceID = 1
	fieldSpanID  = 2
	idsLen       = 2 + 16 + 2 + 8
)

var errWire = errors.New("not OTLP as it was just encoded")

// below calls do for each message in a field of an encoded message.
func below(message []byte, field protowire.Number, do func([]byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errWire
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return errWire
		}
		if number == field && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message[n:])
			if err := do(value); err != nil {
				return err
			}
		}
		message = message[n+size:]
	}
	return nil
}

// without returns a copy of an encoded message but for a field of it.
func without(message []byte, field protowire.Number) ([]byte, error) {
	var to []byte
	for len(message) > 0 {
		number, _, n := protowire.ConsumeField(message)
		if n < 0 {
			return nil, errWire
		}
		if number != field {
			to = append(to, message[:n]...)
		}
		message = message[n:]
	}
	return to, nil
}

func appendMessage(to []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), message)
}

// contextValue joins what is around the spans of a ScopeSpans, and its reverse takes it apart.
func contextValue(resource, scope []byte) []byte {
	value := protowire.AppendVarint(make([]byte, 0, len(resource)+len(scope)+3), uint64(len(resource)))
	return append(append(value, resource...), scope...)
}

func parseContextValue(value []byte) (resource, scope []byte, ok bool) {
	size, n := protowire.ConsumeVarint(value)
	if n < 0 || size > uint64(len(value)-n) {
		return nil, nil, false
	}
	return value[n : n+int(size)], value[n+int(size):], true
}

// withoutIDs returns an encoded span but for its trace and span ID. Our encoder puts them last, the span ID first; should it do so
// no more, they are looked for.
func withoutIDs(span []byte) ([]byte, error) {
	if rest := len(span) - idsLen; rest >= 0 && span[rest] == fieldSpanID<<3|2 && span[rest+1] == 8 && span[rest+10] == fieldTraceID<<3|2 && span[rest+11] == 16 {
		return span[:rest], nil
	}
	rest, err := without(span, fieldTraceID)
	if err != nil {
		return nil, err
	}
	return without(rest, fieldSpanID)
}

// appendSpan appends a span to a ScopeSpans: its IDs from its key, and the rest as it is stored.
func appendSpan(to, key, rest []byte) []byte {
	trace, id := key[prefixLen:traceLen], key[traceLen+1:]
	to = protowire.AppendTag(to, fieldSpansBelow, protowire.BytesType)
	to = protowire.AppendVarint(to, uint64(idsLen+len(rest)))
	to = appendMessage(to, fieldTraceID, trace)
	to = appendMessage(to, fieldSpanID, id)
	return append(to, rest...)
}
