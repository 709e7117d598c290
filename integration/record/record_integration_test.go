// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

func TestRecordingAnew(t *testing.T) {
	out := filepath.Join(t.TempDir(), "recording")
	if err := record(t.Context(), options{root: "../..", out: out, maxBytes: 1_000_000, pods: testbed.PodsFast, progress: t.Output()}); err != nil {
		t.Fatal(err)
	}
	checkRecording(t, out)
	if _, err := os.Stat(filepath.Join(out, "README.md")); err != nil {
		t.Error(err)
	}
}
