// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

import "strings"

// AppendQuote appends text as a JSON string. Bytes that are no UTF-8 become U+FFFD, as encoding/json has it.
func AppendQuote(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	text = strings.ToValidUTF8(text, "\uFFFD")
	dst = append(dst, '"')
	for i := range len(text) {
		switch c := text[i]; {
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
