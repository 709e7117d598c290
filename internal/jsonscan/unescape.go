// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// text returns what a valid string without its quotes means. It aliases raw if it can.
func text(raw []byte, plain bool) []byte {
	if plain || utf8.Valid(raw) && bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	return unescape(raw)
}

func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '\\':
			r, size := unescapeOne(raw[i:])
			out = utf8.AppendRune(out, r)
			i += size
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			r, size := utf8.DecodeRune(raw[i:])
			out = utf8.AppendRune(out, r) // an invalid byte decodes as U+FFFD
			i += size
		}
	}
	return out
}

// unescapeOne reads the valid escape that raw begins with. A lone surrogate is U+FFFD.
func unescapeOne(raw []byte) (r rune, size int) {
	switch raw[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return rune(raw[1]), 2
	}
	r = codeUnit(raw)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
		if pair := utf16.DecodeRune(r, codeUnit(raw[6:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// codeUnit reads a valid escape of the form \uXXXX.
func codeUnit(raw []byte) rune {
	var r rune
	for _, c := range raw[2:6] {
		r = r<<4 | hexDigit(c)
	}
	return r
}
