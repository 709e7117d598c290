// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
)

// TestUserGuide: the picture in the user guide is what comes out, and the README names every step.
func TestUserGuide(t *testing.T) {
	guide, err := os.ReadFile("../../../../docs/user-guide.md")
	require.NoError(t, err)
	picture, err := os.ReadFile("testdata/rollout/full_tree.txt")
	require.NoError(t, err)
	indented := strings.ReplaceAll("    "+strings.TrimSpace(string(picture)), "\n", "\n    ")
	require.Contains(t, string(guide), strings.ReplaceAll(indented, "    \n", "\n"))

	for _, field := range []string{
		fieldSource, fieldDuration, fieldMessage, fieldError, fieldDiff, fieldVerboseDiff, fieldDiffJoin, fieldDiffCut, fieldSnapshot, fieldTruncated, fieldFolded, fieldFoldedPaths,
		fieldOwner, fieldLinks, fieldLink, fieldLife, fieldGroup, fieldTraceContext,
	} {
		require.Contains(t, string(guide), "`"+field, "a field of views is not told about")
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, step := range mode.AllSteps {
		require.Contains(t, string(readme), "`"+string(step)+"`")
	}
}
