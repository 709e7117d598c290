// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package mode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func builtIn(tb testing.TB) *Set {
	set, err := NewSet(DefaultConfig())
	require.NoError(tb, err)
	return set
}

// TestList: the default comes first, and no mode is listed that shows what a simpler one shows.
func TestList(t *testing.T) {
	var lines []string
	for _, m := range builtIn(t).List()[:10] {
		lines = append(lines, fmt.Sprintf("%08x %s", m.ID, m.Name))
	}
	assert.Equal(t, strings.TrimSpace(`
20000000 tracing
22000000 tracing [ancestors]
21000000 tracing [full tree]
28000000 tracing [links]
24000000 tracing [owned objects]
2a000000 tracing [ancestors, links]
26000000 tracing [ancestors, owned objects]
29000000 tracing [full tree, links]
2c000000 tracing [links, owned objects]
30000000 grouped`), strings.Join(lines, "\n"))
	assert.Len(t, builtIn(t).List(), 36)
}

// TestEveryModeIsFoundByIDAndByName, and is the same mode.
func TestEveryModeIsFoundByIDAndByName(t *testing.T) {
	set := builtIn(t)
	for _, want := range set.List() {
		byID, ok := set.ByID(want.ID)
		assert.True(t, ok, want.Name)
		assert.Equal(t, want, byID)
		byName, err := set.ByName(want.Name)
		require.NoError(t, err)
		assert.Equal(t, want, byName)
	}
}

func TestModifiersAreCombinedInAnyOrder(t *testing.T) {
	set := builtIn(t)
	for _, name := range []string{"tree [links, full tree]", " tree  [ full tree ,links]", "tree [full tree, links, full tree]"} {
		m, err := set.ByName(name)
		require.NoError(t, err)
		assert.Equal(t, "tree [full tree, links]", m.Name)
		assert.Equal(t, uint32(0x09000000), m.ID)
		assert.Equal(t, Scope{Owners: 3, Owned: 3, FromTop: true, Links: 1}, m.Scope)
	}
	all, ok := set.ByID(0x2f000000)
	assert.True(t, ok)
	assert.Equal(t, "tracing [ancestors, full tree, links, owned objects]", all.Name)
}

func TestWhatIsNoModeIsExplained(t *testing.T) {
	set := builtIn(t)
	for name, want := range map[string]string{
		"":                 `there is no display mode "", but tracing, grouped, timeline and tree`,
		"prod":             `there is no display mode "prod", but tracing, grouped, timeline and tree`,
		"tracing [links":   `"tracing [links" has no closing bracket`,
		"tracing [others]": `there is no modifier "others", but ancestors, full tree, links and owned objects`,
		"tracing []":       `there is no modifier "", but ancestors, full tree, links and owned objects`,
	} {
		_, err := set.ByName(name)
		require.EqualError(t, err, want, name)
	}
	for _, id := range []uint32{0x40000000, 0x20000001, 0xffffffff, 0x30100000} {
		_, ok := set.ByID(id)
		assert.False(t, ok, "%08x", id)
	}
}

func TestScopesAreJoined(t *testing.T) {
	scaling, storage := Scope{Links: 1, LinkClasses: []string{"scaling"}}, Scope{Links: 2, LinkClasses: []string{"storage"}}
	assert.Equal(t, Scope{Links: 2, LinkClasses: []string{"scaling", "storage"}}, scaling.or(storage))
	assert.Equal(t, Scope{Links: 1}, scaling.or(Scope{Links: 1}), "all classes")
	assert.Equal(t, Scope{Owners: 1, Links: 1, LinkClasses: []string{"scaling"}}, Scope{Owners: 1}.or(scaling))
	assert.True(t, scaling.Follows("scaling"))
	assert.False(t, scaling.Follows("storage"))
	assert.True(t, Scope{Links: 1}.Follows(""))
	assert.False(t, Scope{}.Follows(""))
}
