// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package states_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text is an object of a size, with some content that no other has.
func text(i, size int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 0))
	own := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	return fmt.Appendf(nil, `{"metadata":{"name":"object-%d","uid":%q},"spec":{"x":%q}}`, i, own, strings.Repeat("the same in all of them ", size/24))
}

func TestWhatIsPutIsGot(t *testing.T) {
	budget := states.NewBudget(1 << 30)
	table := budget.NewTable()
	for round := range 4 { // the dictionary is learnt during the first
		for i := range 40 {
			key := fmt.Sprint("o", i)
			require.Equal(t, states.Full, table.Put(key, "uid", fmt.Sprint(round), text(i+round, 200*i)))
		}
		for i := range 40 {
			state, ok := table.Get(fmt.Sprint("o", i))
			require.True(t, ok)
			got, err := table.Text(state)
			require.NoError(t, err)
			require.Equal(t, string(text(i+round, 200*i)), string(got))
			require.Equal(t, fmt.Sprint(round), state.ResourceVersion)
		}
	}
	assert.EqualValues(t, 40, budget.Objects())
	assert.Equal(t, 40, table.Clear())
	assert.Zero(t, budget.Objects())
	assert.Zero(t, budget.Used(), "all is given back")
}

func TestTheBudgetHolds(t *testing.T) {
	const limit = 1 << 20
	budget := states.NewBudget(limit)
	table := budget.NewTable()
	kept := map[states.Kept]int{}
	for i := range 8000 {
		how := table.Put(fmt.Sprintf("namespace/object-%d", i), "uid", "1", text(i, 1000))
		kept[how]++
		require.LessOrEqual(t, budget.Used(), int64(limit))
	}
	assert.Positive(t, kept[states.Full])
	assert.Positive(t, kept[states.Metadata])
	assert.Positive(t, kept[states.Nothing])
	assert.True(t, table.Missed())

	state, ok := table.Get(fmt.Sprintf("namespace/object-%d", kept[states.Full]))
	require.True(t, ok)
	require.Equal(t, states.Metadata, state.Kept)
	got, err := table.Text(state)
	require.NoError(t, err)
	assert.Equal(t, string(states.MetadataOf(text(kept[states.Full], 1000))), string(got))

	for i := range 8000 {
		table.Remove(fmt.Sprintf("namespace/object-%d", i))
	}
	assert.Less(t, budget.Used(), int64(limit/10), "but for the dictionary")
	assert.Equal(t, states.Full, table.Put("again", "uid", "1", text(1, 1000)))
}

func TestUnseenIsWhatARoundDidNotTouch(t *testing.T) {
	table := states.NewBudget(1 << 20).NewTable()
	for _, key := range []string{"a", "b", "c"} {
		table.Put(key, "uid", "1", text(1, 1))
	}
	table.NextRound()
	table.Touch("a")
	table.Put("b", "uid", "2", text(1, 1))
	assert.Equal(t, []string{"c"}, table.Unseen())
}

func TestMetadataOf(t *testing.T) {
	assert.JSONEq(t, `{"metadata":{"name":"a"}}`, string(states.MetadataOf([]byte(`{"kind":"X","metadata":{"name":"a"},"spec":{}}`))))
	assert.JSONEq(t, `{"metadata":{}}`, string(states.MetadataOf([]byte(`{}`))))
}
