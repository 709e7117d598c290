// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

func TestRecordingBecomesATree(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), options{
		root: "../..", recording: "integration/testdata/recording/audit.json.gz", cluster: "recorded", namespace: "demo", name: "demo",
		webhook: testbed.FreeAddress(t), pages: testbed.FreeAddress(t), plugin: testbed.FreeAddress(t), store: testbed.FreeAddress(t), once: true,
	}, &out))

	tree := out.String()
	lines := strings.Split(tree, "\n")
	assert.Equal(t, 1, count(lines, "Deployment demo/demo"), "one Deployment at the root\n%s", tree)
	assert.Equal(t, 2, count(lines, "├─ ReplicaSet demo-")+count(lines, "└─ ReplicaSet demo-"), "two ReplicaSets below it\n%s", tree)
	assert.Equal(t, 8, strings.Count(tree, "─ Pod demo-"), "eight Pods below them\n%s", tree)
	for _, entry := range []string{
		"│  19:17:35.867  alice                  create                               201",
		"│  19:17:40.654  alice                  update scale                         200",
		"deployment-controller  update status               409 Conflict",
	} {
		assert.Contains(t, tree, entry)
	}
	for _, line := range lines {
		assert.LessOrEqual(t, len([]rune(line)), 80, "a line wider than a terminal: %s", line)
	}
}

func TestRecordingThatIsNotThere(t *testing.T) {
	err := run(t.Context(), options{root: "../..", recording: "nothing.gz"}, &strings.Builder{})
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
