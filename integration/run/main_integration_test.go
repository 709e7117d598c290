// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

func TestRecordingBecomesATree(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), options{
		root: "../..", recording: "integration/testdata/recording", namespace: "demo", name: "demo",
		webhook: testbed.FreeAddress(t), pages: testbed.FreeAddress(t), plugin: testbed.FreeAddress(t), store: testbed.FreeAddress(t), otlp: testbed.FreeAddress(t), once: true,
	}, &out))

	tree := out.String()
	lines := strings.Split(tree, "\n")
	assert.Equal(t, 1, count(lines, "Deployment demo/demo"), "one Deployment at the root\n%s", tree)
	assert.Equal(t, 2, count(lines, "├─ ReplicaSet demo-")+count(lines, "└─ ReplicaSet demo-"), "two ReplicaSets below it\n%s", tree)
	assert.Equal(t, 8, strings.Count(tree, "─ Pod demo-"), "eight Pods below them\n%s", tree)
	for _, entry := range []string{
		"alice                  create",                     // the audit log
		"~ spec.replicas  2 → 4",                            // the watch
		"Scaled up replica set demo-54779946bc from 2 to 4", // Events
		"404 NotFound",
	} {
		assert.Contains(t, tree, entry)
	}
	assert.NotContains(t, tree, "(watch)", "each change is told with the request that made it")
	for _, line := range lines {
		assert.LessOrEqual(t, len([]rune(line)), 80, "a line wider than a terminal: %s", line)
	}
	assertReadme(t, lines)
}

// assertReadme compares the first page that anybody reads with what they then see: the README's tree is this one, in which lines of
// nothing but … stand for what is left out.
func assertReadme(t *testing.T, lines []string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(readme), "```\ncluster recorded,")
	require.True(t, found, "README.md has no tree")
	block, _, _ = strings.Cut("cluster recorded,"+block, "\n```")
	at, gap := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "cluster recorded,") }), false
	require.GreaterOrEqual(t, at, 0)
	for _, want := range strings.Split(block, "\n") {
		if strings.Trim(want, " │├└─") == "…" {
			gap = true
			continue
		}
		next := 0
		if gap {
			next = max(0, slices.Index(lines[at:], want))
		}
		require.Less(t, at+next, len(lines))
		require.Equal(t, want, lines[at+next], "README.md differs from the tree\n%s", strings.Join(lines, "\n"))
		at, gap = at+next+1, false
	}
}

func TestRecordingThatIsNotThere(t *testing.T) {
	err := run(t.Context(), options{root: "../..", recording: "nothing"}, &strings.Builder{})
	require.ErrorContains(t, err, "the recording")
}

// count returns how many lines begin with the text.
func count(lines []string, prefix string) int {
	n := 0
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}
