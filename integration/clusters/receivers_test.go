// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

// testReceiver grants what the manifests in a folder do, besides those of kube_clusters, and runs a receiver with it until
// it has a span on an object that act makes.
func testReceiver(t *testing.T, c *testbed.Cluster, folder string, factory receiver.Factory, options map[string]any, act func(name string) (resource string)) {
	t.Helper()
	grant(t, c, read(t, filepath.Join(manifests, "kube_clusters")))
	grant(t, c, read(t, filepath.Join(manifests, folder)))
	e := startExtension(t, asToken(c, token(t, c)), nil)

	config := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(options).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	sink := new(consumertest.TracesSink)
	r, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), config, sink)
	require.NoError(t, err)
	h := &host{extensions: e.host.extensions}
	require.NoError(t, r.Start(t.Context(), h))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })

	names := map[string]string{} // the receiver may not have begun when the first is made
	require.Eventually(t, func() bool {
		name := "made-" + time.Now().Format("150405.000000")
		names[name] = act(name)
		for _, traces := range sink.AllTraces() {
			for _, rs := range traces.ResourceSpans().All() {
				object, ok := objectspan.ReadResource(rs.Resource().Attributes())
				if ok && object.Cluster == "test" && names[object.Name] == object.Resource {
					return true
				}
			}
		}
		return false
	}, patience, 200*time.Millisecond)
	status, err := h.last()
	assert.Contains(t, []componentstatus.Status{componentstatus.StatusNone, componentstatus.StatusOK}, status, "%v", err)
}

func testK8sevent(t *testing.T, c *testbed.Cluster) {
	testReceiver(t, c, "k8sevent", k8seventreceiver.NewFactory(), nil, func(name string) string {
		_, err := c.Admin.Client.EventsV1().Events("default").Create(t.Context(), &eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, EventTime: metav1.NowMicro(),
			ReportingController: "test", ReportingInstance: "test", Action: "Testing", Reason: "Tested", Type: corev1.EventTypeNormal,
			Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: "default", Name: name, UID: "u"},
		}, metav1.CreateOptions{})
		assert.NoError(t, err)
		return "configmaps"
	})
}

// testWatchReceiver: what the manifests do not grant is no failure.
func testWatchReceiver(t *testing.T, c *testbed.Cluster) {
	testReceiver(t, c, "watch", watchreceiver.NewFactory(), nil, func(name string) string {
		_, err := c.Admin.Client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		assert.NoError(t, err)
		return "configmaps"
	})
}
