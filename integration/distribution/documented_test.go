// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMetricsInTheDocsAreInTheBinary: also those of the Collector's own parts, which change their names from version to version.
func TestMetricsInTheDocsAreInTheBinary(t *testing.T) {
	program, err := os.ReadFile(binary)
	require.NoError(t, err)
	name := regexp.MustCompile(`otelcol_[a-z0-9_]*[a-z0-9]`)
	prefixes := map[string]bool{"otelcol_processor_k8slink": true} // of names that a page shortens
	found := 0
	for _, dir := range []string{"docs", "config-examples", "deploy", "extension", "processor", "receiver", "README.md"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(file string, _ fs.DirEntry, err error) error {
			if extension := filepath.Ext(file); err != nil || extension != ".md" && extension != ".yaml" && extension != ".json" {
				return err
			}
			page, err := os.ReadFile(file)
			for _, metric := range name.FindAllString(string(page), -1) {
				found++
				assert.True(t, prefixes[metric] || bytes.Contains(program, []byte(metric)), "%s names %s", strings.TrimPrefix(file, root+"/"), metric)
			}
			return err
		}))
	}
	assert.Greater(t, found, 100)
}
