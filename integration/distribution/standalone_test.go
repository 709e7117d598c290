// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"io"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// TestStandaloneExampleKeepsTheTraces of a real cluster, all three sources on one object, and shows them to a Jaeger; after kill -9 they are there
// still.
func TestStandaloneExampleKeepsTheTraces(t *testing.T) {
	dir, webhook, store := t.TempDir(), testbed.FreeAddress(t), testbed.FreeAddress(t)
	cluster := testbed.ForTest(t, testbed.Options{Pods: testbed.PodsFast, Audit: testbed.Audit{
		Webhook: testbed.AuditWebhook{URL: "http://" + webhook + "/audit", InitialBackoff: time.Second},
	}})
	pages := testbed.FreeAddress(t)
	env := []string{
		"KUBECONFIG=" + cluster.Kubeconfig, "KELEMETRY_CLUSTER=prod", "KELEMETRY_WEBHOOK=" + webhook, "KELEMETRY_STORE=" + store,
		"KELEMETRY_PLUGIN=" + testbed.FreeAddress(t), "KELEMETRY_HTTP=" + pages,
		"KELEMETRY_STATE=" + filepath.Join(dir, "state"), "KELEMETRY_TRACES=" + filepath.Join(dir, "traces"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t),
		"KELEMETRY_DOCTOR=" + testbed.FreeAddress(t),
	}
	first := startExample(t, "standalone.yaml", env)
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{RemoteStorage: store})
	result, err := testbed.RolloutScenario(t.Context(), cluster, testbed.RolloutOptions{})
	require.NoError(t, err)
	awaitTree(t, jaeger, "prod", "deployments/demo", "replicasets/demo-", "pods/demo-")
	awaitTree(t, jaeger, "prod", "deployments/demo", "alice create")
	awaitTree(t, jaeger, "prod", "deployments/demo", "ScalingReplicaSet")
	require.NoError(t, syscall.Kill(first.Pid(), syscall.SIGKILL))
	<-first.Exited()

	startExample(t, "standalone.yaml", env)
	awaitTree(t, jaeger, "prod", "deployments/demo", "replicasets/demo-", "pods/demo-")
	tree := getPage(t, "http://"+pages+"/trace?cluster=prod&resource=deployments&group=apps&format=text&namespace="+result.Namespace+"&name="+result.Deployment.Name)
	for _, want := range []string{"Deployment demo/demo", "alice", "ScalingReplicaSet", "spec.replicas"} {
		assert.Contains(t, tree, want)
	}
}

func getPage(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", answer)
	return string(answer)
}
