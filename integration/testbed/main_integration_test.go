// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package testbed_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// The cluster that all tests of the package share, and where its audit events go.
var (
	cluster *testbed.Cluster
	sink    *testbed.AuditSink
)

func TestMain(m *testing.M) {
	sink = testbed.NewAuditSink()
	code := testbed.RunTests(m, testbed.Options{
		Pods: testbed.PodsFast,
		Audit: testbed.Audit{
			Webhook: testbed.AuditWebhook{URL: sink.URL("/audit/bed"), InitialBackoff: 100 * time.Millisecond},
		},
	}, func(c *testbed.Cluster) { cluster = c })
	sink.Close()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
