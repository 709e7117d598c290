// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/identity"
)

var epoch = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func id(n int) identity.ID { return identity.ID{byte(n)} }

func known(uid string, at pcommon.Timestamp) lives { return firstFact(fact{uid: uid, at: at}) }

// remembered lists which of the objects 1 to n are in the table.
func remembered(t *table, n int) (ids []int) {
	for i := 1; i <= n; i++ {
		if _, ok := t.get(id(i)); ok {
			ids = append(ids, i)
		}
	}
	return ids
}

func TestWhoIsGoneStaysForItsTimeAndOthersGiveWay(t *testing.T) {
	table, err := newTable(4, time.Hour)
	require.NoError(t, err)
	for i := 1; i <= 4; i++ {
		table.put(id(i), known("u", 1), epoch)
	}
	table.bury(id(1), "u", 5, epoch)
	table.bury(id(2), "u", 5, epoch.Add(time.Minute))
	for i := 5; i <= 9; i++ {
		table.put(id(i), known("u", 1), epoch.Add(2*time.Minute))
	}
	assert.Equal(t, []int{1, 2, 8, 9}, remembered(table, 9))

	table.bury(id(8), "u", 5, epoch)
	table.put(id(10), known("u", 1), epoch.Add(3*time.Minute))
	assert.Equal(t, []int{2, 8, 9, 10}, remembered(table, 10), "no more than half of them are of the gone")
	assert.EqualValues(t, 1, table.evictedGone)

	table.put(id(11), known("u", 1), epoch.Add(2*time.Hour))
	table.put(id(12), known("u", 1), epoch.Add(2*time.Hour))
	assert.Equal(t, []int{9, 10, 11, 12}, remembered(table, 12), "after their time they go first")
}

func TestANewFactTellsThatItIsThereAgain(t *testing.T) {
	table, err := newTable(4, time.Hour)
	require.NoError(t, err)
	table.put(id(1), known("u", 1), epoch)
	table.bury(id(1), "u", 5, epoch)
	table.put(id(1), known("u", 4), epoch)
	assert.Equal(t, 1, table.gone.Len(), "that was before the end")
	table.put(id(1), known("v", 6), epoch)
	assert.Zero(t, table.gone.Len())
	table.bury(id(1), "u", 7, epoch)
	table.bury(id(1), "v", 5, epoch)
	assert.Zero(t, table.gone.Len(), "the end of another life, or from before")
}

func TestWithoutRetentionTheGoneAreLikeOthers(t *testing.T) {
	table, err := newTable(2, 0)
	require.NoError(t, err)
	table.put(id(1), known("u", 1), epoch)
	table.bury(id(1), "u", 5, epoch)
	assert.Zero(t, table.gone.Len())
}
