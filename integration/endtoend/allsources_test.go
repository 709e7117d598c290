// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// TestAllSourcesMeetOnTheObject runs config-examples/all-sources.yaml as it is: the trace of a Deployment tells who asked,
// what the controllers said, and what changed.
func TestAllSourcesMeetOnTheObject(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	webhook := freeAddress(t)
	cluster := testbed.ForTest(t, testbed.Options{Pods: testbed.PodsFast, Audit: testbed.Audit{
		Webhook: testbed.AuditWebhook{URL: "http://" + webhook + "/audit", InitialBackoff: time.Second},
	}})
	startAllSources(t, cluster, jaeger, webhook)
	result, err := testbed.RolloutScenario(t.Context(), cluster, testbed.RolloutOptions{})
	require.NoError(t, err)

	root := identity.Object{Cluster: "prod", Group: "apps", Resource: "deployments", Namespace: result.Namespace, Name: result.Deployment.Name}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
			Service: "prod", Tags: map[string]string{attr.ObjectID: identity.ObjectID(root).String()},
		})
		require.NoError(c, err)
		told := map[string]bool{}
		objects := map[string]string{}
		for _, trace := range traces {
			for _, object := range trace.Roots() {
				require.Equal(c, root.SpanName(), object.Operation, "%s", trace)
				collectObjects(trace, object, "", objects)
				for _, span := range trace.Children(object) {
					tell(span, told)
				}
			}
		}
		assert.Len(c, objects, 1+len(result.ReplicaSets)+len(result.Pods))
		for _, want := range []string{
			"audit: alice create", "audit: alice update scale", "audit: alice delete",
			"event: ScalingReplicaSet",
			"watch: created", "watch: updated", "watch: deleted",
			"spec.replicas: 2 -> 4", "spec.replicas: 4 -> 2", "status.observedGeneration: 1 -> 2",
		} {
			assert.True(c, told[want], "%q is not told in %v", want, told)
		}
	}, patience, 500*time.Millisecond)
}

func startAllSources(t *testing.T, cluster *testbed.Cluster, jaeger *testbed.Jaeger, webhook string) {
	t.Helper()
	c, err := collector.Start(t.Context(), collector.Options{
		Root: root, Config: filepath.Join("config-examples", "all-sources.yaml"), Set: []string{"service.telemetry.metrics.level=none"},
		Env: []string{
			"KUBECONFIG=" + cluster.Kubeconfig, "KELEMETRY_CLUSTER=prod", "KELEMETRY_WEBHOOK=" + webhook, "JAEGER_OTLP=" + jaeger.OTLPGRPC,
			"KELEMETRY_STATE=" + filepath.Join(t.TempDir(), "state"), "KELEMETRY_HEALTH=" + freeAddress(t),
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Stop()
		if t.Failed() {
			t.Log(c.Tail())
		}
	})
}

// tell notes a span by its source and name, and the changes that its diff has.
func tell(span testbed.Span, told map[string]bool) {
	if source, ok := span.Tags[attr.SpanType].(string); ok {
		told[source+": "+span.Operation] = true
	}
	for _, log := range span.Logs {
		for path, change := range log.Fields {
			if text, ok := change.(string); ok {
				told[path+": "+text] = true
			}
		}
	}
}
