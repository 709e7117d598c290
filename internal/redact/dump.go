// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import "strings"

// unstructured returns the beginning of the first dump that has no certain end: a unified diff, one of go-cmp, what
// surrounds a syntax error, a key. It is the length of the text if there is none.
func unstructured(text string) int {
	end := len(text)
	for _, marker := range [...]string{"@@ -", "error found in #", "bigger context", "-----BEGIN "} {
		if i := strings.Index(text[:end], marker); i >= 0 {
			end = i
		}
	}
	for i := 0; i < end; i++ {
		if isDiffLine(text[i:end]) {
			return i
		}
		next := strings.IndexByte(text[i:end], '\n')
		if next < 0 {
			break
		}
		i += next
	}
	return end
}

// isDiffLine reports whether a line is a removed or added one in a diff of go-cmp, which puts a space of some kind and tabs
// behind the sign. A list for people has its text there.
func isDiffLine(text string) bool {
	if text == "" || text[0] != '-' && text[0] != '+' {
		return false
	}
	rest := strings.TrimLeft(text[1:], " \u00a0")
	return strings.HasPrefix(rest, "\t") || strings.HasPrefix(rest, ": ")
}

// dumpEnd returns the end of the Go value or JSON whose opening bracket is at text[i]. It returns -1 if the end is not
// certain: in a dump that does not quote its strings any bracket may be part of one, so whatever is not written as in Go
// source or JSON, on one line, is not trusted.
func dumpEnd(text string, i int) int {
	var open []byte
	for i < len(text) {
		switch c := text[i]; {
		case strings.IndexByte("{[(", c) >= 0:
			open = append(open, c)
			i++
		case strings.IndexByte("}])", c) >= 0:
			if last := len(open) - 1; !isPair(open[last], c) {
				return -1
			} else if open = open[:last]; last == 0 {
				return i + 1
			}
			i++
		case strings.IndexByte(" ,:*&", c) >= 0:
			i++
		default:
			if i = dumpToken(text, i); i < 0 {
				return -1
			}
		}
	}
	return -1
}

func isPair(open, end byte) bool {
	return open == '{' && end == '}' || open == '[' && end == ']' || open == '(' && end == ')'
}

// dumpToken returns the end of a string, number or name in a dump, or -1.
func dumpToken(text string, i int) int {
	switch c := text[i]; {
	case c == '"', c == '`':
		return quotationEnd(text, i)
	case isDigit(c), c == '-' && i+1 < len(text) && isDigit(text[i+1]):
		end := wordEnd(text, i+1)
		if end == len(text) || strings.IndexByte(",:}]) ", text[end]) < 0 {
			return -1
		}
		return end
	case isWord(c):
		return nameEnd(text, i)
	default:
		return -1
	}
}

// nameEnd returns the end of a name that is a keyword, a field, a type or a key. A bare word that is a value is not written
// as in Go source.
func nameEnd(text string, i int) int {
	end := wordEnd(text, i)
	switch name := text[i:end]; name {
	case "true", "false", "nil", "null":
		return end
	default:
		rest := strings.TrimLeft(text[end:], " ")
		if rest != "" && strings.IndexByte("{(:[])", rest[0]) >= 0 || strings.HasPrefix(name, "time.") {
			return end
		}
		return -1
	}
}

// quotationEnd returns the end of the quotation that begins at text[i], or -1.
func quotationEnd(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return i + 1
		case text[i] == '\\' && quote == '"':
			i++
		}
	}
	return -1
}

func wordEnd(text string, i int) int {
	for i < len(text) && (isWord(text[i]) || text[i] == '.') {
		i++
	}
	return i
}

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isDigit(c byte) bool { return c-'0' < 10 }
