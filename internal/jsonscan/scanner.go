// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

import "strconv"

// Scanner reads one text. Each method that reads a value skips the white space before it and consumes it whole.
//
// It is a small value: a copy is a place to go back to. It is not safe for concurrent use.
//
// After a [SyntaxError] the text cannot be read on: every later call returns the same error. After a [TypeError] the
// value for which the method was called has been consumed, and reading may go on behind it.
type Scanner struct {
	data  []byte
	pos   int
	depth int // of the calls of Object and Array that are under way

	keyStart, keyEnd int // of the current member's key, with its quotes

	err *SyntaxError
}

// New returns a scanner at the beginning of data, which must not change as long as the scanner, or what it returned
// without copying, is in use.
func New(data []byte) Scanner { return Scanner{data: data} }

// Offset returns the number of bytes consumed. After [Scanner.Next] it is where the next value begins.
func (s *Scanner) Offset() int { return s.pos }

// Next returns the kind of the next value without consuming it, and skips the white space before it. The value may
// still turn out to be malformed when it is read.
func (s *Scanner) Next() Kind {
	s.pos = skipSpace(s.data, s.pos)
	if s.pos >= len(s.data) || s.err != nil {
		return Invalid
	}
	return kindOf[s.data[s.pos]]
}

// Skip consumes the next value, whatever it is.
func (s *Scanner) Skip() error {
	if s.err != nil {
		return s.err
	}
	end, p := skipValue(s.data, skipSpace(s.data, s.pos))
	return s.advance(end, p)
}

// Raw consumes the next value and returns its bytes, without white space around it. They alias the text, and are valid
// JSON, but a string in them may be invalid UTF-8.
func (s *Scanner) Raw() ([]byte, error) {
	s.Next()
	start := s.pos
	if err := s.Skip(); err != nil {
		return nil, err
	}
	return s.data[start:s.pos:s.pos], nil
}

// Str consumes a string and returns a copy of it as valid UTF-8: an invalid byte becomes U+FFFD. Null gives "".
func (s *Scanner) Str() (string, error) {
	b, err := s.Bytes()
	return string(b), err
}

// Bytes is like [Scanner.Str] without copying: the result aliases the text unless the string has escapes or is invalid
// UTF-8. Null gives nil, a string never does.
func (s *Scanner) Bytes() ([]byte, error) {
	switch s.Next() {
	case String:
		start := s.pos + 1
		end, plain, p := skipString(s.data, start)
		if err := s.advance(end, p); err != nil {
			return nil, err
		}
		return text(s.data[start:end-1:end-1], plain), nil
	case Null:
		return nil, s.Skip()
	default:
		return nil, s.mismatch(String.String())
	}
}

// Int consumes a number that is an int64 written without fraction and exponent. Null gives 0.
func (s *Scanner) Int() (int64, error) {
	switch s.Next() {
	case Number:
		start := *s
		raw, err := s.Raw()
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			*s = start
			return 0, s.mismatch("int64")
		}
		return n, nil
	case Null:
		return 0, s.Skip()
	default:
		return 0, s.mismatch("int64")
	}
}

// Bool consumes true or false. Null gives false.
func (s *Scanner) Bool() (bool, error) {
	switch s.Next() {
	case Bool:
		value := s.data[s.pos] == 't'
		if err := s.Skip(); err != nil {
			return false, err
		}
		return value, nil
	case Null:
		return false, s.Skip()
	default:
		return false, s.mismatch(Bool.String())
	}
}

// End reports anything but white space that is left.
func (s *Scanner) End() error {
	if s.err != nil {
		return s.err
	}
	s.pos = skipSpace(s.data, s.pos)
	if s.pos < len(s.data) {
		return s.fail(s.pos, trailing)
	}
	return nil
}

// mismatch skips the next value and reports that it is not what was wanted, or that it is malformed.
func (s *Scanner) mismatch(want string) error {
	got := s.Next()
	at := s.pos
	if err := s.Skip(); err != nil {
		return err
	}
	return &TypeError{Offset: at, Want: want, Got: got}
}

// advance ends a call of a skip function.
func (s *Scanner) advance(end int, p problem) error {
	if p != fine {
		return s.fail(end, p)
	}
	s.pos = end
	return nil
}

func (s *Scanner) fail(at int, p problem) error {
	if at >= len(s.data) && p != tooDeep {
		p = truncated
	}
	s.err = &SyntaxError{Offset: at, Msg: problems[p]}
	return s.err
}
