// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryRowHasItsBenchmark, so that a renamed one is missed here and not in the next table.
func TestEveryRowHasItsBenchmark(t *testing.T) {
	for _, r := range rows {
		name, _, _ := strings.Cut(r.name, "/")
		assert.True(t, declares(t, filepath.Join("..", "..", r.folder), "Benchmark"+name), "%s in %s", name, r.folder)
	}
}

func declares(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Name.Name == name {
				return true
			}
		}
	}
	return false
}

// TestALineTellsValueRatioAndTarget of what go test prints.
func TestALineTellsValueRatioAndTarget(t *testing.T) {
	const out = "goos: linux\nBenchmarkStore/write-2 \t 1 \t 188.0 disk-B/span \t 40000 spans/cpu-s\nBenchmarkStore/open-16 \t 3 \t 25 cpu-ms/op\nBenchmarkMix-2 \t 1 \t 50000 events/cpu-s \t 4000 B/event \t 2500 cpu-ns/op\nPASS\n"
	for _, c := range []struct {
		r    row
		line string
	}{
		{row{"store", "writing", "", "Store/write", "spans/cpu-s", 50_000}, "| store | writing | 40,000 spans per CPU-second | 4,000 spans a loop | ≥ 50,000, missed |"},
		{row{"", "disk", "", "Store/write", "disk-B/span", 200}, "|  | disk | 188 bytes |  | ≤ 200 |"},
		{row{"", "open", "", "Store/open", "cpu-ms/op", 50}, "|  | open | 25.0 ms CPU | 0.25 loops | ≤ 50 |"},
		{row{"", "bytes", "", "Mix", "MB/cpu-s", 0}, "|  | bytes | 200 MB per CPU-second | 20.0 MB a loop |  |"},
		{row{"", "small", "", "Mix", "cpu-ns/op", 0}, "|  | small | 2.50 µs CPU | 2.5e-05 loops |  |"},
	} {
		result, err := find(out, c.r.name)
		require.NoError(t, err)
		line, err := measured{metrics: result, loop: 100 * time.Millisecond}.line(c.r)
		require.NoError(t, err)
		assert.Equal(t, c.line, line)
	}
	_, err := find(out, "Store")
	require.ErrorContains(t, err, "there is no benchmark Store")
	result, err := find(out, "Mix")
	require.NoError(t, err)
	_, err = measured{metrics: result}.line(row{unit: "B/object"})
	require.ErrorContains(t, err, "no metric B/object")
	_, err = find("BenchmarkMix-2 1 much\n", "Mix")
	require.ErrorContains(t, err, "not what a benchmark prints")
}

// TestTheTableTakesItsPlaceInAFile and leaves the rest.
func TestTheTableTakesItsPlaceInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(file, []byte("a\n"+begin+"\nold\n"+end+"\nb\n"), 0o600))
	require.NoError(t, replace(file, "new\n"))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "a\n"+begin+"\nnew\n"+end+"\nb\n", string(text))
	require.NoError(t, os.WriteFile(file, []byte("a\n"), 0o600))
	require.ErrorContains(t, replace(file, "new\n"), "has no place for the table")
}

func TestTheLoopTakesTime(t *testing.T) {
	assert.Positive(t, calibrate())
}
