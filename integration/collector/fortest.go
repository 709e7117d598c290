// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "testing"

// ForTest starts a Collector that runs until the test ends. If the test failed, the end of the Collector's log is in its output.
func ForTest(tb testing.TB, o Options) *Collector {
	tb.Helper()
	c, err := Start(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = c.Stop()
		if tb.Failed() {
			tb.Log(c.Tail())
		}
	})
	return c
}
