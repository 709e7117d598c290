// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditevent

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

func TestEqualTextsAreOneString(t *testing.T) {
	table := new(Strings)
	first, second := table.Of([]byte("system:node:a")), table.Of([]byte("system:node:a"))
	assert.Equal(t, "system:node:a", first)
	assert.Same(t, unsafe.StringData(first), unsafe.StringData(second))

	first, second = table.Join("apiserver.", "total"), table.Join("apiserver.", "total")
	assert.Equal(t, "apiserver.total", first)
	assert.Same(t, unsafe.StringData(first), unsafe.StringData(second))
	assert.Equal(t, "apiserver.total", table.Join("api", "server.total"))

	first, second = table.Unquoted([]byte(`"by \"a\""`)), table.Unquoted([]byte(`"by \"a\""`))
	assert.Equal(t, `by "a"`, first)
	assert.Same(t, unsafe.StringData(first), unsafe.StringData(second))
	assert.Empty(t, table.Unquoted([]byte("null")))
}

func TestTheTableOfStringsIsBounded(t *testing.T) {
	table := new(Strings)
	for i := range 3 * maxStrings {
		text := fmt.Sprint(i)
		assert.Equal(t, text, table.Of([]byte(text)))
		assert.Equal(t, "a"+text, table.Join("a", text))
		assert.Equal(t, text, table.Unquoted([]byte(`"`+text+`"`)))
	}
	long := strings.Repeat("x", maxStringLength+1)
	assert.Equal(t, long, table.Of([]byte(long)))
	assert.Equal(t, long+"y", table.Join(long, "y"))
	assert.LessOrEqual(t, len(table.known), maxStrings)
	assert.LessOrEqual(t, len(table.joined), maxStrings)
	assert.LessOrEqual(t, len(table.derived[unquoted]), maxStrings)
	assert.NotContains(t, table.known, long)
}

func TestWithoutATableStringsAreCopied(t *testing.T) {
	var table *Strings
	assert.Equal(t, "a", table.Of([]byte("a")))
	assert.Equal(t, "ab", table.Join("a", "b"))
	assert.Equal(t, "a", table.Unquoted([]byte(`"a"`)))
}
