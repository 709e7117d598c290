// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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
	awaitWatch(t, cluster, jaeger)
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

// awaitWatch changes a Deployment until a change of it is told: from then on Deployments are watched.
func awaitWatch(t *testing.T, cluster *testbed.Cluster, jaeger *testbed.Jaeger) {
	t.Helper()
	deployments := cluster.Alice.Client.AppsV1().Deployments("default")
	labels := map[string]string{"app": "probe"}
	_, err := deployments.Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "probe"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "probe"}}},
			},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	tries := 0
	require.Eventually(t, func() bool {
		tries++
		patch := fmt.Sprintf(`{"metadata":{"annotations":{"example.com/try":"%d"}}}`, tries)
		if _, err := deployments.Patch(t.Context(), "probe", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			return false
		}
		traces, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
			Service: "prod", Operation: "updated", Tags: map[string]string{attr.ObjectName: "probe", attr.SpanType: attr.SpanTypeWatch},
		})
		return err == nil && len(traces) > 0
	}, patience, 500*time.Millisecond, "no change of a Deployment is told")
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
