// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

// The functions of this file skip one piece of JSON that begins at data[i]. They return the offset behind it, or that of
// the byte that cannot be, with the reason.

func skipValue(data []byte, i int) (int, problem) {
	if i >= len(data) {
		return i, truncated
	}
	switch kindOf[data[i]] {
	case String:
		end, _, p := skipString(data, i+1)
		return end, p
	case Object, Array:
		return skipContainer(data, i, 0)
	default:
		return skipScalar(data, i)
	}
}

// skipScalar skips what is neither a string nor a container.
func skipScalar(data []byte, i int) (int, problem) {
	switch data[i] {
	case 't':
		return skipLiteral(data, i, "true")
	case 'f':
		return skipLiteral(data, i, "false")
	case 'n':
		return skipLiteral(data, i, "null")
	default:
		return skipNumber(data, i)
	}
}

func skipLiteral(data []byte, i int, literal string) (int, problem) {
	for j := range len(literal) {
		if i+j >= len(data) || data[i+j] != literal[j] {
			return i + j, badLiteral
		}
	}
	return i + len(literal), fine
}

func skipNumber(data []byte, i int) (int, problem) {
	start := i
	if data[i] == '-' {
		i++
	}
	switch {
	case i < len(data) && data[i] == '0':
		i++
	case i < len(data) && isDigit(data[i]):
		i = skipDigits(data, i)
	case i == start:
		return i, noValue
	default:
		return i, badNumber
	}
	if i < len(data) && data[i] == '.' {
		if i++; i >= len(data) || !isDigit(data[i]) {
			return i, badNumber
		}
		i = skipDigits(data, i)
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		if i++; i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if i >= len(data) || !isDigit(data[i]) {
			return i, badNumber
		}
		i = skipDigits(data, i)
	}
	return i, fine
}

func skipDigits(data []byte, i int) int {
	for i < len(data) && isDigit(data[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c-'0' < 10 }

func skipSpace(data []byte, i int) int {
	if i < len(data) && data[i] > ' ' {
		return i
	}
	return skipSpaces(data, i)
}

func skipSpaces(data []byte, i int) int {
	for i < len(data) {
		switch data[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}
