// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

// levelsPerWord is the number of containers that one frame of skipContainer remembers.
const levelsPerWord = 64

// skipContainer skips the object or array at data[i], which lies in depth others.
//
// It is one long loop because most of the work of decoding is done here. The open containers are bits of a word, 1 for an
// object; only every 64 levels it calls itself, so that MaxDepth levels need 157 frames and no memory.
func skipContainer(data []byte, i, depth int) (int, problem) {
	var (
		objects uint64
		levels  int
		p       problem
	)
open:
	if levels == levelsPerWord {
		if i, p = skipContainer(data, i, depth+levels); p != fine {
			return i, p
		}
		goto after
	}
	if depth+levels == MaxDepth {
		return i, tooDeep
	}
	levels++
	if data[i] == '[' {
		objects <<= 1
		if i = skipSpace(data, i+1); i < len(data) && data[i] == ']' {
			i++
			goto closed
		}
		goto value
	}
	objects = objects<<1 | 1
	if i = skipSpace(data, i+1); i < len(data) && data[i] == '}' {
		i++
		goto closed
	}

key:
	if i >= len(data) || data[i] != '"' {
		return i, noKey
	}
	if i, _, p = skipString(data, i+1); p != fine {
		return i, p
	}
	if i = skipSpace(data, i); i >= len(data) || data[i] != ':' {
		return i, noColon
	}
	i = skipSpace(data, i+1)

value:
	if i >= len(data) {
		return i, truncated
	}
	switch kindOf[data[i]] {
	case String:
		i, _, p = skipString(data, i+1)
	case Object, Array:
		goto open
	default:
		i, p = skipScalar(data, i)
	}
	if p != fine {
		return i, p
	}

after:
	if i = skipSpace(data, i); i >= len(data) {
		return i, truncated
	}
	if objects&1 != 0 {
		switch data[i] {
		case ',':
			i = skipSpace(data, i+1)
			goto key
		case '}':
			i++
			goto closed
		}
		return i, noCommaInObject
	}
	switch data[i] {
	case ',':
		i = skipSpace(data, i+1)
		goto value
	case ']':
		i++
		goto closed
	}
	return i, noCommaInArray

closed:
	objects >>= 1
	if levels--; levels > 0 {
		goto after
	}
	return i, fine
}
