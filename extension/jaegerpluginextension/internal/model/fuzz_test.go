// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"
)

// FuzzGraph: whatever was stored, a graph comes of it in which every way up ends, no entry is there twice, each life is
// among those of its owner, and that does not depend on the order.
func FuzzGraph(f *testing.F) {
	f.Add([]byte("0123456701234567"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x01\x00\x00\x00\x00\x02\x04\x00\x02\x09\x00\x10\x00"))
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 40*storedtest.SpanBytes)]
		forth, back := NewGraph(Limits{}), NewGraph(Limits{})
		batches := storedtest.Compose(script)
		for i := range batches {
			forth.Add(batches[i])
			back.Add(batches[len(batches)-1-i])
		}
		require.Equal(t, picture(forth), picture(back))

		seen := map[*Entry]bool{}
		var count func(entries []*Entry)
		count = func(entries []*Entry) {
			for _, e := range entries {
				require.False(t, seen[e])
				seen[e] = true
				require.LessOrEqual(t, e.Start, e.End)
				count(e.Children)
			}
		}
		for _, o := range forth.Objects() {
			require.NotEmpty(t, o.Lives)
			for i, life := range o.Lives {
				require.Equal(t, i+1, life.Number)
				require.LessOrEqual(t, life.Start, life.End)
				count(life.Entries)
				steps := 0
				for at := life; at != nil; at = at.OwnerLife {
					steps++
					require.LessOrEqual(t, steps, 1000)
				}
				if life.OwnerLife != nil {
					require.Contains(t, life.OwnerLife.Owned, life)
				}
			}
		}
		require.Len(t, seen, len(forth.entries)-forth.homeless)
	})
}
