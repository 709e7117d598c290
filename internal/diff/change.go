// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff // import "github.com/kelemetry/kelemetry/internal/diff"

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Change is one difference.
type Change struct {
	Path Path
	// Old and New are JSON as it stands in the documents, of which they are slices; nil where there is no value. A
	// subtree that was added or removed is one change.
	Old, New []byte
	// Reordered is true of a change of the order of a list's items and nothing else. Old and New then list what the
	// items are matched by.
	Reordered bool
}

// Result is what Compare found, in the order of the documents.
type Result struct {
	// Changes are what a person calls a change.
	Changes []Change
	// Noise comes with every write, or changes nothing: resourceVersion and generation, heartbeats, copies of the object
	// in annotations, the order of items that have keys, and other spellings of the same quantity or time.
	Noise []Change
	// Cut is how many changes were left out of Changes, beyond Options.MaxChanges.
	Cut int
}

// IsEmpty reports whether nothing was found, not even noise.
func (r *Result) IsEmpty() bool { return len(r.Changes) == 0 && len(r.Noise) == 0 && r.Cut == 0 }

// Name is the change's path; of a change of order, with that said.
func (c *Change) Name() string {
	if c.Reordered {
		return c.Path.String() + " (order)"
	}
	return c.Path.String()
}

// Text is "old -> new", with null for no value. A value of more than maxValue bytes is cut and says by how much.
func (c *Change) Text(maxValue int) string {
	size := min(len(c.Old), maxValue) + min(len(c.New), maxValue) + 64
	text := appendValue(make([]byte, 0, size), c.Old, maxValue)
	text = append(text, " -> "...)
	return string(appendValue(text, c.New, maxValue))
}

func appendValue(dst, value []byte, most int) []byte {
	if value == nil {
		return append(dst, "null"...)
	}
	if len(value) <= most {
		return appendReadable(dst, value)
	}
	end := most
	for end > 0 && !utf8.RuneStart(value[end]) {
		end--
	}
	dst = append(appendReadable(dst, value[:end]), "… ("...)
	dst = strconv.AppendInt(dst, int64(len(value)-end), 10)
	return append(dst, " bytes cut)"...)
}

// appendReadable appends JSON without the escapes that API servers write for the sake of HTML.
func appendReadable(dst, value []byte) []byte {
	for {
		i := bytes.IndexByte(value, '\\')
		if i < 0 || i+1 >= len(value) {
			return append(dst, value...)
		}
		dst, value = append(dst, value[:i]...), value[i:]
		size := 2
		switch {
		case bytes.HasPrefix(value, []byte(`\u003c`)):
			dst, size = append(dst, '<'), 6
		case bytes.HasPrefix(value, []byte(`\u003e`)):
			dst, size = append(dst, '>'), 6
		case bytes.HasPrefix(value, []byte(`\u0026`)):
			dst, size = append(dst, '&'), 6
		default:
			dst = append(dst, value[:size]...)
		}
		value = value[size:]
	}
}
