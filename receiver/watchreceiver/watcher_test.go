// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadatatest"
)

func deployment(name, version, spec string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"shop","uid":"u-%s","resourceVersion":%q},"spec":%s}`, name, name, version, spec)
}

func types(r *rig) (all []string) {
	for _, c := range r.told {
		all = append(all, string(c.changeType)+" "+c.header.Name+" "+c.header.ResourceVersion)
	}
	return all
}

func TestTheFirstListIsLearntAndNotTold(t *testing.T) {
	r := newRig(t, createDefaultConfig().(*Config), deployments)
	old := deployment("old", "1", "{}")
	during := strings.Replace(deployment("during", "2", "{}"), `"uid"`, `"creationTimestamp":"2026-11-23T12:00:00Z","uid"`, 1)
	r.list(t, old, during)
	assert.Equal(t, []string{"created during 2"}, types(r))
	r.list(t, old, during)
	assert.Len(t, r.told, 1, "nothing changed")
}

func TestOnlyWhatPassesTheFilterIsWatched(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Include = []RuleConfig{{Labels: "watch=yes"}}
	r := newRig(t, config, deployments)
	r.list(t, deployment("out", "1", "{}"))
	labeled := func(version, value string) string {
		return strings.Replace(deployment("a", version, `{"x":`+version+`}`), `"uid"`, `"labels":{"watch":"`+value+`"},"uid"`, 1)
	}
	require.NoError(t, r.Update(r.item(t, deployment("out", "2", `{"x":1}`), false)))
	require.NoError(t, r.Add(r.item(t, labeled("3", "no"), false)))
	require.NoError(t, r.Update(r.item(t, labeled("4", "yes"), false)))
	require.NoError(t, r.Update(r.item(t, labeled("5", "yes"), false)))
	require.NoError(t, r.Update(r.item(t, labeled("6", "no"), false)))
	require.NoError(t, r.Update(r.item(t, labeled("7", "no"), false)))
	require.NoError(t, r.Delete(r.item(t, labeled("8", "no"), false)))
	assert.Equal(t, []string{"updated a 4", "updated a 5", "updated a 6"}, types(r), "up to the one that takes it out")
	assert.Equal(t, attr.WatchDegradedSkipped, r.told[0].degraded, "what it was before is not known")
}

// TestALabelHidesWhatItHidesOnBothSides: of an object that is marked while it is there, the value before is no longer shown.
func TestALabelHidesWhatItHidesOnBothSides(t *testing.T) {
	r := newRig(t, createDefaultConfig().(*Config), deployments)
	plain := deployment("a", "1", `{"pin":"hunter2"}`)
	marked := strings.Replace(deployment("a", "2", `{"pin":"hunter2"}`), `"uid"`, `"labels":{"kelemetry.kubewharf.io/diff-redacted":"true"},"uid"`, 1)
	r.list(t, plain)
	require.NoError(t, r.Update(r.item(t, marked, false)))
	require.NoError(t, r.Update(r.item(t, strings.Replace(plain, `"resourceVersion":"1"`, `"resourceVersion":"3"`, 1), false)))
	require.Len(t, r.told, 2)
	assert.NotContains(t, encode(t, r.batch.Traces()), "hunter2")
}

func TestWithoutMemoryLessIsTold(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Memory.MaxStateSize = mebibyte
	r := newRig(t, config, deployments)
	var texts []string
	for i := range 9000 {
		texts = append(texts, deployment(fmt.Sprint("d", i), "1", fmt.Sprintf(`{"x":%q}`, noise(uint64(i)))))
	}
	r.list(t, texts...)
	assert.Empty(t, r.told)
	assert.LessOrEqual(t, r.budget.Used(), int64(mebibyte))
	for _, i := range []int{0, 3000, 8999} {
		require.NoError(t, r.Update(r.item(t, deployment(fmt.Sprint("d", i), "2", `{"x":"new"}`), false)))
	}
	r.list(t, texts...) // as after an interruption: those that are not known are not new
	var degraded []string
	for _, c := range r.told {
		if c.header.ResourceVersion == "2" {
			degraded = append(degraded, c.degraded)
		}
		assert.NotEqual(t, created, c.changeType)
	}
	assert.Empty(t, degraded[0])
	assert.Contains(t, degraded, attr.WatchDegradedSkipped)

	limited, err := r.telemetry.GetMetric("otelcol_receiver_watch_memory_limited")
	require.NoError(t, err)
	counted := limited.Data.(metricdata.Sum[int64]).DataPoints
	assert.Len(t, counted, 2, "of some objects the metadata is kept, of others nothing")
	for _, point := range counted {
		assert.Positive(t, point.Value)
	}
}

func noise(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	return fmt.Sprintf("%x%x%x%x%x%x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
}

func TestWhatCannotBeReadIsCountedAndLeftOut(t *testing.T) {
	r := newRig(t, createDefaultConfig().(*Config), deployments)
	for _, bad := range []string{"", "7", `{"metadata":{}}`, `{"metadata":{"name":"a"}}`, `{"metadata":{"name":"a","resourceVersion":"1"},"spec":}`} {
		_, err := r.read([]byte(bad), false)
		require.Error(t, err, bad)
	}
	metadatatest.AssertEqualReceiverWatchInvalid(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: 5, Attributes: attribute.NewSet(attribute.String("k8s.object.resource", "deployments.apps"))},
	}, metricdatatest.IgnoreTimestamp())
}

func TestVerboseShowsNoise(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Diff.Verbose = true
	r := newRig(t, config, deployments)
	r.list(t, deployment("a", "1", "{}"))
	require.NoError(t, r.Update(r.item(t, deployment("a", "2", "{}"), false)))
	require.Len(t, r.told, 1)
	assert.Contains(t, encode(t, r.batch.Traces()), `{"key":"metadata.resourceVersion","value":{"stringValue":"\"1\" -> \"2\""}}`)
}
