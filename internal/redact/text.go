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
