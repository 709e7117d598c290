// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package testbed runs real servers for tests: a Kubernetes control plane with simulated nodes, and Jaeger. No containers,
// no root, nothing but 127.0.0.1.
//
//	cluster := testbed.ForTest(t, testbed.Options{
//		Audit: testbed.Audit{
//			Level:   testbed.LevelMetadata,
//			Webhook: testbed.AuditWebhook{URL: "http://127.0.0.1:8080/audit/prod"},
//		},
//	})
//	result, err := testbed.RolloutScenario(ctx, cluster, testbed.RolloutOptions{})
//
// StartCluster and StartJaeger need no test: commands use them too. Binaries come from package servers, which builds them on
// the first call. Each process logs to a file in the folder Dir of what was started.
//
// Besides the servers, it has what a test does to a cluster, as small functions that say what to expect: scenario_*.go.
package testbed
