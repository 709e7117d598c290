// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordingBecomesATree(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), options{
		root: "../..", recording: "integration/testdata/recording/audit.json.gz", cluster: "recorded", object: "deployments/demo",
		webhook: "127.0.0.1:0", once: true,
	}, &out))

	lines := strings.Split(out.String(), "\n")
	assert.Equal(t, 1, count(lines, "deployments/"), "one Deployment at the root\n%s", out.String())
	assert.Equal(t, 2, count(lines, "├─ replicasets/")+count(lines, "└─ replicasets/"), "two ReplicaSets below it\n%s", out.String())
	assert.NotZero(t, count(lines, "│  ├─ pods/"), "Pods below them\n%s", out.String())
	assert.Contains(t, out.String(), "kube-system:deployment-controller")
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
