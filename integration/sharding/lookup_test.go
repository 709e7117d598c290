// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package sharding

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// TestLookUpsMakeTreesWholeOverShards: on a real API server, objects four levels deep, spread by object over three processes. Each
// process sees the spans of some of them only, and looks the owners of the others up. So it is also while partitions are still
// given from one process to another, which cuts look-ups short that are under way.
func TestLookUpsMakeTreesWholeOverShards(t *testing.T) {
	webhook := testbed.FreeAddress(t)
	cluster := testbed.ForTest(t, testbed.Options{
		Components: testbed.APIServerOnly,
		Audit:      testbed.Audit{Webhook: testbed.AuditWebhook{URL: "http://" + webhook + "/audit/prod"}},
	})
	b := startKafkaBeside(t, cluster.Kubeconfig, webhook)

	const trees = 8
	want := map[string]string{} // name of the root, by name
	for tree := range trees {
		if tree == trees/2 {
			b.awaitShares(t)
		}
		var owner *corev1.ConfigMap
		for _, level := range []string{"root", "trunk", "branch", "leaf"} {
			c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", level, tree)}}
			if owner != nil {
				c.OwnerReferences = []metav1.OwnerReference{{
					APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID, Controller: new(true),
				}}
			}
			made, err := cluster.Admin.Client.CoreV1().ConfigMaps("default").Create(t.Context(), c, metav1.CreateOptions{})
			require.NoError(t, err)
			want[made.Name], owner = fmt.Sprintf("root-%d", tree), made
		}
	}

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		seen := map[string]bool{}
		for _, s := range b.sink.spans(0) {
			name, _ := s.resource.Get(attr.ObjectName)
			root, ok := want[name.Str()]
			if !ok || s.text(attr.AuditID) == "" {
				continue
			}
			seen[name.Str()] = true
			o := identity.Object{Cluster: "prod", Resource: "configmaps", Namespace: "default", Name: root}
			window := identity.DefaultWindow.Start(s.StartTimestamp().AsTime())
			assert.Equal(c, identity.TraceID(o, window), s.TraceID(), "%s is not in the trace of %s", name.Str(), root)
		}
		assert.Len(c, seen, len(want))
	}, patience, 200*time.Millisecond)
}
