// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

import (
	"encoding/binary"
	"math/bits"
)

const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// skipString skips the rest of a string whose opening quote is before data[i]. The result plain is false when there may
// be escapes or bytes beyond ASCII in it.
//
// Eight bytes at a time halve the time to skip an audit event, short as most of its strings are.
func skipString(data []byte, i int) (end int, plain bool, p problem) {
	var seen uint64
	for i+8 <= len(data) {
		x := binary.LittleEndian.Uint64(data[i : i+8])
		seen |= x
		if special := specialBytes(x); special != 0 {
			i += bits.TrailingZeros64(special) / 8
			if data[i] == '"' {
				return i + 1, seen&highBits == 0, fine
			}
			break
		}
		i += 8
	}
	return skipRest(data, i, seen&highBits == 0)
}

// skipRest is skipString from the first byte on that needs a closer look, or from where less than eight bytes are left.
func skipRest(data []byte, i int, plain bool) (end int, _ bool, p problem) {
	for {
		i, plain = skipOrdinary(data, i, plain)
		if i >= len(data) {
			return i, plain, truncated
		}
		switch data[i] {
		case '"':
			return i + 1, plain, fine
		case '\\':
			plain = false
			if i, p = skipEscape(data, i); p != fine {
				return i, plain, p
			}
		default:
			return i, plain, controlCharacter
		}
	}
}

// skipOrdinary finds the next byte that ends a string or is special in it.
func skipOrdinary(data []byte, i int, plain bool) (int, bool) {
	for i+8 <= len(data) {
		x := binary.LittleEndian.Uint64(data[i : i+8])
		if x&highBits != 0 {
			plain = false
		}
		if special := specialBytes(x); special != 0 {
			return i + bits.TrailingZeros64(special)/8, plain
		}
		i += 8
	}
	for i < len(data) && data[i] != '"' && data[i] != '\\' && data[i] >= ' ' {
		if data[i] >= 0x80 {
			plain = false
		}
		i++
	}
	return i, plain
}

// specialBytes sets the high bit of each byte of x that is a quote, a backslash or a control character. A bit above the
// lowest one that is set may be wrong, because subtraction borrows.
//
// A byte is a quote or a control character exactly when it is below 0x21 after its bit 1 has been flipped.
func specialBytes(x uint64) uint64 {
	quoteOrControl := (x ^ 0x02*eachByte) - 0x21*eachByte
	backslash := (x ^ '\\'*eachByte) - eachByte
	return (quoteOrControl | backslash) &^ x & highBits
}

// skipEscape skips the escape at data[i].
func skipEscape(data []byte, i int) (int, problem) {
	if i+1 >= len(data) {
		return len(data), truncated
	}
	switch data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, fine
	case 'u':
	default:
		return i + 1, badEscape
	}
	for j := i + 2; j < i+6; j++ {
		if j >= len(data) || hexDigit(data[j]) < 0 {
			return j, badEscape
		}
	}
	return i + 6, fine
}

// hexDigit returns -1 for what is none.
func hexDigit(c byte) rune {
	switch {
	case isDigit(c):
		return rune(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	default:
		return -1
	}
}
