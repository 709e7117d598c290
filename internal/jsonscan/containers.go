// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

import "errors"

// MaxDepth is how deep values may be nested: each value that is skipped, and the calls of [Scanner.Object] and
// [Scanner.Array] within each other. It is the limit of encoding/json, and so what API servers accept.
const MaxDepth = 10000

// Object consumes an object and calls field for each of its members, in order, duplicates included. Null is an object
// without members.
//
// The key comes without quotes and escapes; it aliases the text unless it has escapes or is invalid UTF-8. The function
// reads the member's value by one call on the same scanner; if it consumes nothing the value is skipped.
//
// After a [TypeError] of field the other members are skipped, so that the scanner stands behind the object when it is
// returned. Any other error of field is returned at once; the scanner then stands where the function left it, inside the
// object: go on from a copy made before, or not at all.
func (s *Scanner) Object(field func(key []byte) error) error {
	ok, err := s.open(Object, '}')
	if !ok || err != nil {
		return err
	}
	var failed error
	for {
		key, err := s.key()
		if err != nil {
			return err
		}
		at := s.pos
		if failed == nil {
			if failed = field(key); failed != nil && !isTypeError(failed) {
				return failed
			}
		}
		if more, err := s.more(at, '}', noCommaInObject); err != nil {
			return err
		} else if !more {
			return failed
		}
	}
}

// Array consumes an array and calls item for each of its values, under the rules of [Scanner.Object]. Null is an empty
// array.
func (s *Scanner) Array(item func() error) error {
	ok, err := s.open(Array, ']')
	if !ok || err != nil {
		return err
	}
	var failed error
	for {
		s.pos = skipSpace(s.data, s.pos)
		at := s.pos
		if failed == nil {
			if failed = item(); failed != nil && !isTypeError(failed) {
				return failed
			}
		}
		if more, err := s.more(at, ']', noCommaInArray); err != nil {
			return err
		} else if !more {
			return failed
		}
	}
}

// RawKey returns the key of the member that field of [Scanner.Object] is called for, as it is written, in quotes. It is
// to be asked for before the value is read. It aliases the text.
func (s *Scanner) RawKey() []byte { return s.data[s.keyStart:s.keyEnd:s.keyEnd] }

// open consumes the bracket that begins a container and reports whether it has content. If not it consumes all of it.
func (s *Scanner) open(kind Kind, closing byte) (bool, error) {
	switch s.Next() {
	case kind:
	case Null:
		return false, s.Skip()
	default:
		return false, s.mismatch(kind.String())
	}
	if s.depth == MaxDepth {
		return false, s.fail(s.pos, tooDeep)
	}
	s.pos = skipSpace(s.data, s.pos+1)
	if s.pos < len(s.data) && s.data[s.pos] == closing {
		s.pos++
		return false, nil
	}
	s.depth++
	return true, nil
}

// key consumes a member's key and what lies between it and the value.
func (s *Scanner) key() ([]byte, error) {
	i := skipSpace(s.data, s.pos)
	if i >= len(s.data) || s.data[i] != '"' {
		return nil, s.fail(i, noKey)
	}
	end, plain, p := skipString(s.data, i+1)
	if p != fine {
		return nil, s.fail(end, p)
	}
	s.keyStart, s.keyEnd = i, end
	colon := skipSpace(s.data, end)
	if colon >= len(s.data) || s.data[colon] != ':' {
		return nil, s.fail(colon, noColon)
	}
	s.pos = skipSpace(s.data, colon+1)
	return text(s.data[i+1:end-1:end-1], plain), nil
}

// more consumes the value that begins at valueStart if that has not been done, and what follows it in a container: a
// comma, or the closing bracket and with it the container.
func (s *Scanner) more(valueStart int, closing byte, otherwise problem) (bool, error) {
	if s.err != nil {
		return false, s.err // the callback overlooked it
	}
	if s.pos == valueStart {
		if err := s.Skip(); err != nil {
			return false, err
		}
	}
	i := skipSpace(s.data, s.pos)
	if i < len(s.data) {
		switch s.data[i] {
		case ',':
			s.pos = i + 1
			return true, nil
		case closing:
			s.pos = i + 1
			s.depth--
			return false, nil
		}
	}
	return false, s.fail(i, otherwise)
}

func isTypeError(err error) bool {
	var typeError *TypeError
	return errors.As(err, &typeError)
}
