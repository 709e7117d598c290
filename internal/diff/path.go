// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff // import "github.com/kelemetry/kelemetry/internal/diff"

import (
	"strconv"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Path leads from an object to one of its values.
type Path []Segment

// Segment is one step of a Path: to the member Field, to the item that has Keys, to the item that is Value, or to the
// item at Index.
type Segment struct {
	Kind  SegmentKind
	Field string
	Keys  []Key
	// Value is the JSON of an item that is matched by being equal.
	Value []byte
	Index int
}

// SegmentKind says which step a Segment is.
type SegmentKind uint8

// The kinds of segments.
const (
	Field SegmentKind = iota
	Keyed
	Valued
	Indexed
)

// Key is a member that tells an item of a list from the others.
type Key struct {
	Name string
	// Value is JSON; nil if the item lacks the member.
	Value []byte
}

// String writes the path as people do: spec.containers[name=app].ports[0], metadata.annotations["example.com/x"],
// metadata.finalizers[=example.com/hold].
func (p Path) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends what String returns.
func (p Path) AppendTo(dst []byte) []byte {
	for i := range p {
		dst = p[i].appendTo(dst, i == 0)
	}
	return dst
}

// pattern writes the path with [*] for any item, as noise is written.
func (p Path) pattern(dst []byte) []byte {
	for i := range p {
		if p[i].Kind == Field {
			dst = p[i].appendTo(dst, i == 0)
		} else {
			dst = append(dst, "[*]"...)
		}
	}
	return dst
}

func (s *Segment) appendTo(dst []byte, first bool) []byte {
	switch s.Kind {
	case Field:
		return appendField(dst, s.Field, first)
	case Keyed:
		dst = append(dst, '[')
		for i, key := range s.Keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(dst, key.Name...), '=')
			dst = appendScalar(dst, key.Value)
		}
		return append(dst, ']')
	case Valued:
		return append(appendScalar(append(dst, "[="...), s.Value), ']')
	default:
		return append(strconv.AppendInt(append(dst, '['), int64(s.Index), 10), ']')
	}
}

func appendField(dst []byte, field string, first bool) []byte {
	if !isPlain(field) {
		return append(jsonscan.AppendQuote(append(dst, '['), field), ']')
	}
	if !first {
		dst = append(dst, '.')
	}
	return append(dst, field...)
}

// appendScalar writes a string without its quotes if that cannot be misread.
func appendScalar(dst, value []byte) []byte {
	if value == nil {
		return append(dst, "null"...)
	}
	if n := len(value); n > 2 && value[0] == '"' {
		for _, c := range value[1 : n-1] {
			if !isWord(c) && c != '/' && c != '.' && c != ':' {
				return append(dst, value...)
			}
		}
		return append(dst, value[1:n-1]...)
	}
	return append(dst, value...)
}

func isPlain(field string) bool {
	for i := range len(field) {
		if !isWord(field[i]) {
			return false
		}
	}
	return field != ""
}

func isWord(c byte) bool {
	return c == '_' || c == '-' || c == '$' || c-'0' < 10 || c|0x20 >= 'a' && c|0x20 <= 'z'
}
