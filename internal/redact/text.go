// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"bytes"
	"unicode/utf8"
)

// validUTF8 makes what was appended behind from valid UTF-8. In JSON only strings can be invalid, so it stays JSON.
func validUTF8(out []byte, from int) []byte {
	if utf8.Valid(out[from:]) {
		return out
	}
	return append(out[:from], bytes.ToValidUTF8(out[from:], []byte("\uFFFD"))...)
}

// appendString appends a string as JSON.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
