// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLinkerLeavesOutWhatNobodyCalls: nobody calls this method, so that it is in the binary only if all methods are, which adds a third to its
// size. Something that looks up methods by name, such as text/template, brings that about; go build -ldflags=-dumpdep
// marks it with <ReflectMethod>. See docs/adr/0006-what-is-linked.md.
func TestLinkerLeavesOutWhatNobodyCalls(t *testing.T) {
	program, err := os.ReadFile(binary)
	require.NoError(t, err)
	assert.True(t, bytes.Contains(program, []byte("reflect.Value.Call\x00")), "names of functions are not where this test looks for them")
	assert.False(t, bytes.Contains(program, []byte("reflect.Value.TrySend\x00")), "the linker has to keep all methods of all types")
}
