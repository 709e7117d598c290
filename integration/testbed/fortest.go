// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
)

// ForTest starts a cluster for one test and its subtests. When the test ends it is stopped and its folder
// removed; if the test failed the ends of all logs are printed and the folder stays.
func ForTest(tb testing.TB, opts Options) *Cluster {
	tb.Helper()
	c, err := StartCluster(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	endWithTest(tb, c.bed)
	return c
}

// JaegerForTest is to StartJaeger as ForTest is to StartCluster.
func JaegerForTest(tb testing.TB, opts JaegerOptions) *Jaeger {
	tb.Helper()
	j, err := StartJaeger(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	endWithTest(tb, j.bed)
	return j
}

func endWithTest(tb testing.TB, b *bed) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := b.Stop(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			b.WriteLogTails(tb.Output())
			return
		}
		if err := b.Remove(); err != nil {
			tb.Error(err)
		}
	})
}

// RunTests runs a package's tests against one shared cluster and returns the exit code: for TestMain, which keeps
// the cluster where its tests find it.
//
//	func TestMain(m *testing.M) {
//		os.Exit(testbed.RunTests(m, testbed.Options{}, func(c *testbed.Cluster) { cluster = c }))
//	}
func RunTests(m *testing.M, opts Options, keep func(*Cluster)) int {
	c, err := StartCluster(context.Background(), opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	keep(c)
	return finish(c.bed, m.Run(), os.Stderr)
}

func finish(b *bed, code int, w io.Writer) int {
	if err := b.Stop(); err != nil {
		fmt.Fprintln(w, err)
		code = max(code, 1)
	}
	if code != 0 {
		b.WriteLogTails(w)
		return code
	}
	if err := b.Remove(); err != nil {
		fmt.Fprintln(w, err)
		return 1
	}
	return 0
}

// FreeAddress returns an address on which nothing listens at this moment.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	ports, err := freePorts(1)
	if err != nil {
		tb.Fatal(err)
	}
	return addr(ports[0])
}
