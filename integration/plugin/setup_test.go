// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package plugin looks at a real control plane through a real Jaeger whose storage is jaeger_plugin, with the files that users start from:
// config-examples/jaeger-plugin.yaml and deploy/jaeger.
package plugin

import (
	"net/http"
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
	"github.com/kelemetry/kelemetry/integration/servers"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const (
	root     = "../.."
	patience = time.Minute

	badger = "deploy/jaeger/storage.yaml"
	memory = "integration/plugin/testdata/memory.yaml"
)

// bed is everything that runs.
type bed struct {
	*testbed.Cluster
	// jaeger is the API of the page, whose storage is the plug-in.
	jaeger testbed.JaegerClient
	// http is the address of the plug-in's own HTTP server.
	http string
}

func startBed(t *testing.T, storage string) *bed {
	t.Helper()
	jaeger, err := servers.Path(t.Context(), servers.Jaeger)
	require.NoError(t, err)
	dir := t.TempDir()
	webhook, grpc, raw, page := testbed.FreeAddress(t), testbed.FreeAddress(t), testbed.FreeAddress(t), testbed.FreeAddress(t)
	b := &bed{jaeger: testbed.JaegerClient{URL: "http://" + page}, http: "http://" + testbed.FreeAddress(t)}
	start(t, collector.Options{Binary: jaeger, Config: storage, Env: []string{"JAEGER_DATA=" + dir, "JAEGER_STORAGE=" + raw}})
	b.Cluster = testbed.ForTest(t, testbed.Options{Pods: testbed.PodsFast, Audit: testbed.Audit{
		Webhook: testbed.AuditWebhook{URL: "http://" + webhook + "/audit", InitialBackoff: time.Second},
	}})
	start(t, collector.Options{Config: "config-examples/jaeger-plugin.yaml", Set: []string{"service.telemetry.metrics.level=none"}, Env: []string{
		"KUBECONFIG=" + b.Kubeconfig, "KELEMETRY_CLUSTER=prod", "KELEMETRY_WEBHOOK=" + webhook, "KELEMETRY_HTTP=" + b.http[len("http://"):],
		"KELEMETRY_STATE=" + filepath.Join(dir, "state"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t), "KELEMETRY_PLUGIN=" + grpc, "JAEGER_STORAGE=" + raw,
		"JAEGER_URL=" + b.jaeger.URL,
	}})
	start(t, collector.Options{Binary: jaeger, Config: "deploy/jaeger/query.yaml", Env: []string{
		"KELEMETRY_PLUGIN=" + grpc, "JAEGER_HTTP=" + page, "JAEGER_GRPC=" + testbed.FreeAddress(t), "JAEGER_UI_CONFIG=deploy/jaeger/ui.json",
	}})
	b.awaitWatch(t)
	return b
}

func start(t *testing.T, o collector.Options) {
	t.Helper()
	o.Root = root
	c, err := collector.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Stop()
		if t.Failed() {
			t.Log(c.Tail())
		}
	})
}

// awaitWatch changes a Deployment until a search finds a change of it: from then on Deployments are watched.
func (b *bed) awaitWatch(t *testing.T) {
	t.Helper()
	deployments := b.Alice.Client.AppsV1().Deployments("default")
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
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		patch := `{"metadata":{"annotations":{"example.com/at":"` + time.Now().Format(time.RFC3339Nano) + `"}}}`
		_, err := deployments.Patch(t.Context(), "probe", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		require.NoError(c, err)
		traces, err := b.search(t, "tracing", map[string]string{"resource": "deployments", "name": "probe", "kelemetry.span.type": "watch"})
		require.NoError(c, err)
		require.Len(c, traces, 1)
		require.NotEqual(c, "kelemetry", traces[0].Spans[0].Service, "%v", traces[0].Spans[0])
	}, patience, 500*time.Millisecond)
}

func (b *bed) search(t *testing.T, mode string, tags map[string]string) ([]testbed.Trace, error) {
	t.Helper()
	return b.jaeger.FindTraces(t.Context(), testbed.TraceQuery{Service: mode, Operation: "prod", Tags: tags, Limit: 20})
}

// noRedirects shows where a redirect leads.
var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
