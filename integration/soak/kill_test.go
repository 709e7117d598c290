// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package soak

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

// kills is the environment variable that says how often the process is killed.
const kills = "KELEMETRY_KILLS"

// TestStandaloneLosesNothingHoweverOftenItIsKilled posts 2,000 events a second to standalone.yaml and kills it with -9 at random moments: every
// event that was acknowledged is in the store afterwards, and none is there twice.
func TestStandaloneLosesNothingHoweverOftenItIsKilled(t *testing.T) {
	times := 5
	if text := os.Getenv(kills); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		times = n
	}
	dir, webhook, store := t.TempDir(), testbed.FreeAddress(t), testbed.FreeAddress(t)
	run := func() *program {
		return start(t, "standalone.yaml", []string{
			"KELEMETRY_STATE=" + filepath.Join(dir, "state"), "KELEMETRY_TRACES=" + filepath.Join(dir, "traces"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t),
			"KELEMETRY_WEBHOOK=" + webhook, "KELEMETRY_STORE=" + store, "KELEMETRY_CLUSTER=" + loadCluster,
		}, []string{
			collector.NoMetrics, "service.extensions=[health_check, file_storage, trace_store]",
			"service.pipelines.traces.receivers=[auditlog]",
		})
	}
	l := newLoad("http://"+webhook+"/audit", 0)
	for range times {
		process := run()
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(100+rand.IntN(1900))*time.Millisecond)
		l.run(ctx)
		process.signal(syscall.SIGKILL)
		<-process.Exited()
		cancel()
	}
	accepted, _, _ := l.counts()
	require.NotZero(t, accepted)
	t.Logf("%d events were posted, of which %d were acknowledged, and the process was killed %d times", len(l.acknowledged), accepted, times)

	run()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assertAllStored(c, readStore(t.Context(), c, store), l, nil)
	}, 2*time.Minute, time.Second)
}
