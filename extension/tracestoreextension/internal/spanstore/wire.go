// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// errWire is why a message is not one of OTLP.
var errWire = errors.New("not OTLP")

// maxDepth is how deep values may lie in values.
const maxDepth = 64

// field is a field of an encoded message.
type field struct {
	number protowire.Number
	wire   protowire.Type
	raw    []byte // all of it
	value  []byte // its content, if it is of protowire.BytesType
	scalar uint64 // its value, if it is not
}

// next takes the first field off an encoded message that is not empty.
func next(message []byte) (f field, rest []byte, err error) {
	tag, n := varint(message)
	if n < 0 || tag > math.MaxUint32 || tag>>3 == 0 {
		return field{}, nil, errWire
	}
	f.number, f.wire = protowire.Number(tag>>3), protowire.Type(tag&7)
	at := message[n:]
	size := -1
	switch f.wire {
	case protowire.BytesType:
		length, n := varint(at)
		if n < 0 || length > uint64(len(at)-n) {
			return field{}, nil, errWire
		}
		size = n + int(length)
		f.value = at[n:size]
	case protowire.VarintType:
		f.scalar, size = varint(at)
	case protowire.Fixed64Type:
		f.scalar, size = protowire.ConsumeFixed64(at)
	case protowire.Fixed32Type:
		var scalar uint32
		scalar, size = protowire.ConsumeFixed32(at)
		f.scalar = uint64(scalar)
	}
	if size < 0 { // groups, which OTLP does not have, too
		return field{}, nil, errWire
	}
	f.raw = message[:n+size]
	return f, message[n+size:], nil
}

// varint is protowire.ConsumeVarint, which is called for what is longer than a byte.
func varint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return protowire.ConsumeVarint(b)
}

// role is what the store makes of a field.
type role byte

const (
	roleContent   role = iota // is kept as it is
	roleAttribute             // may be in the dictionary
	roleAround                // has attributes in it
	roleApart                 // is stored elsewhere
)

// rule says how a field has to look.
type rule struct {
	role   role
	known  bool
	wire   protowire.Type
	length int     // of an ID, which may be empty too
	of     *schema // of a message
}

// schema is the rules of a message's fields, by number. Other fields are left out, as pdata does.
type schema [17]rule

func (s *schema) rule(f field) (rule, error) {
	if f.number >= protowire.Number(len(s)) || !s[f.number].known {
		return rule{}, nil
	}
	r := s[f.number]
	if f.wire != r.wire || r.length > 0 && len(f.value) != r.length && len(f.value) != 0 {
		return rule{}, errWire
	}
	return r, nil
}

// check says whether a message is one that the decoder of pdata takes.
func check(message []byte, s *schema, depth int) error {
	if depth > maxDepth {
		return errWire
	}
	for len(message) > 0 {
		f, rest, err := next(message)
		if err != nil {
			return err
		}
		r, err := s.rule(f)
		if err != nil {
			return err
		}
		if r.of != nil {
			if err := check(f.value, r.of, depth+1); err != nil {
				return err
			}
		}
		message = rest
	}
	return nil
}

// Fields of OTLP's messages.
const (
	fieldResourceSpans = 1
	fieldSpansBelow    = 2 // ScopeSpans of ResourceSpans, Spans of ScopeSpans
	fieldResource      = 1 // of ResourceSpans
	fieldAttributes    = 1 // of Resource
	fieldTraceID       = 1
	fieldSpanID        = 2
	fieldName          = 5
	fieldKind          = 6
	fieldStart         = 7
	fieldKey           = 1
	fieldValue         = 2
	fieldString        = 1
)

// The messages of OTLP.
var ofResourceSpans, ofScopeSpans, ofSpan, ofKeyValue = schemas()

func schemas() (resourceSpans, scopeSpans, span, keyValue *schema) {
	const i32, i64 = protowire.Fixed32Type, protowire.Fixed64Type
	number := func(wire protowire.Type) rule { return rule{known: true, wire: wire} }
	text := number(protowire.BytesType)
	count := number(protowire.VarintType)
	id := func(length int, is role) rule {
		return rule{known: true, wire: protowire.BytesType, length: length, role: is}
	}
	message := func(of *schema, is role) rule { return rule{known: true, wire: protowire.BytesType, of: of, role: is} }

	value := &schema{}
	keyValue = &schema{1: text, 2: message(value, roleContent), 3: count}
	*value = schema{
		1: text, 2: count, 3: count, 4: number(i64),
		5: message(&schema{1: message(value, roleContent)}, roleContent), 6: message(&schema{1: message(keyValue, roleContent)}, roleContent), 7: text, 8: count,
	}
	attribute := message(keyValue, roleAttribute)
	event := &schema{1: number(i64), 2: text, 3: attribute, 4: count}
	link := &schema{1: id(16, roleContent), 2: id(8, roleContent), 3: text, 4: attribute, 5: count, 6: number(i32)}
	status := &schema{2: text, 3: count}
	span = &schema{
		1: id(16, roleApart), 2: id(8, roleApart), 3: text, 4: id(8, roleContent), 5: text, 6: count, 7: number(i64), 8: number(i64), 9: attribute, 10: count,
		11: message(event, roleAround), 12: count, 13: message(link, roleAround), 14: count, 15: message(status, roleContent), 16: number(i32),
	}
	scope := &schema{1: text, 2: text, 3: attribute, 4: count}
	scopeSpans = &schema{1: message(scope, roleAround), 2: message(span, roleApart), 3: text}
	entity := &schema{1: text, 2: text, 3: text, 4: text}
	resource := &schema{1: attribute, 2: count, 3: message(entity, roleContent)}
	resourceSpans = &schema{1: message(resource, roleAround), 2: message(scopeSpans, roleApart), 3: text}
	return resourceSpans, scopeSpans, span, keyValue
}

func appendMessage(to []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), message)
}

// openLength is how long the length of a message is whose end is not known yet. Varints may be longer than they need be.
const openLength = 4

// openMessage begins a message of less than 256 MiB, which has to be closed.
func openMessage(to []byte, field protowire.Number) []byte {
	return append(protowire.AppendTag(to, field, protowire.BytesType), 0x80, 0x80, 0x80, 0)
}

// closeMessage ends the message whose content starts there.
func closeMessage(to []byte, start int) {
	size, length := len(to)-start, to[start-openLength:start]
	for i := range length {
		length[i] = length[i]&0x80 | byte(size>>(7*i))&0x7f
	}
}
