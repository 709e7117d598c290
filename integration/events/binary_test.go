// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package events

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const root = "../.."

func startBinary(t *testing.T, config string, env ...string) *collector.Collector {
	t.Helper()
	return collector.ForTest(t, collector.Options{
		Root: root, Config: config, Env: append(env, "KUBECONFIG="+shared.Kubeconfig), Set: []string{"service.telemetry.metrics.level=none"},
	})
}

// TestExampleShowsARollOutInJaeger as it is in config-examples.
func TestExampleShowsARollOutInJaeger(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	health, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, health.Close())
	c := startBinary(t, filepath.Join("config-examples", "events.yaml"),
		"KELEMETRY_STATE="+filepath.Join(t.TempDir(), "state"), "KELEMETRY_HEALTH="+health.Addr().String(),
		"KELEMETRY_CLUSTER=example", "JAEGER_OTLP="+jaeger.OTLPGRPC)
	result, err := testbed.RolloutScenario(t.Context(), shared, testbed.RolloutOptions{Namespace: "example"})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
			Service: "example", Tags: map[string]string{"k8s.namespace.name": result.Namespace}, Limit: 500,
		})
		require.NoError(c, err)
		told := map[string]bool{}
		for _, trace := range traces {
			for _, object := range trace.Roots() {
				for _, event := range trace.Children(object) {
					told[object.Operation+" "+event.Operation] = true
				}
			}
		}
		assert.True(c, told["deployments/"+result.Deployment.Name+" ScalingReplicaSet"], "%v", told)
		for _, rs := range result.ReplicaSets {
			assert.True(c, told["replicasets/"+rs.Name+" SuccessfulCreate"], "%v", told)
		}
		for _, pod := range result.Pods {
			assert.True(c, told["pods/"+pod.Name+" Scheduled"], "%v", told)
		}
	}, patience, 200*time.Millisecond)
	require.NoError(t, c.Stop())
}

// elected is a replica as a process, whose disk survives it.
type elected struct {
	t      *testing.T
	dir    string
	traces string
	*collector.Collector
}

func newElected(t *testing.T) *elected {
	t.Helper()
	dir := t.TempDir()
	return &elected{t: t, dir: dir, traces: filepath.Join(dir, "traces.jsonl")}
}

func (e *elected) start() {
	e.Collector = startBinary(e.t, filepath.Join("integration", "events", "testdata", "elected.yaml"),
		"STATE="+filepath.Join(e.dir, "state"), "TRACES="+e.traces)
}

func (e *elected) kill() {
	require.NoError(e.t, syscall.Kill(e.Pid(), syscall.SIGKILL))
	<-e.Exited()
}

// told reads what the process and those before it exported, whole lines only: states to the IDs of their spans.
func (e *elected) told(namespace string) map[state]string {
	e.t.Helper()
	data, err := os.ReadFile(e.traces)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(e.t, err)
	all := new(told)
	for _, line := range bytes.Split(data[:bytes.LastIndexByte(data, '\n')+1], []byte("\n")) {
		if traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(line); err == nil { // but for a line that a kill cut
			require.NoError(e.t, all.ConsumeTraces(e.t.Context(), traces))
		}
	}
	ids := map[state]string{}
	for _, s := range all.in(namespace) {
		if id, ok := ids[s.state()]; ok {
			assert.Equal(e.t, id, s.id())
		}
		ids[s.state()] = s.id()
	}
	return ids
}

// TestElectedLeaderIsKilledAndTheNextOneGoesOn, with the elector that the distribution has.
func TestElectedLeaderIsKilledAndTheNextOneGoesOn(t *testing.T) {
	events := newReporter(t, shared, "elected")
	replicas := []*elected{newElected(t), newElected(t)}
	for _, r := range replicas {
		r.start()
	}
	both := func() map[state]string {
		ids := replicas[0].told(events.namespace)
		if ids == nil {
			ids = map[state]string{}
		}
		for s, id := range replicas[1].told(events.namespace) {
			if other, ok := ids[s]; ok {
				assert.Equal(t, other, id, "the replicas disagree on %v", s)
			}
			ids[s] = id
		}
		return ids
	}
	for round := range 4 {
		for range 5 {
			events.report()
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Len(c, both(), len(events.written)) }, patience, 100*time.Millisecond)
		victim := replicas[round%2]
		victim.kill() // from the second round on it is the leader
		for range 5 {
			events.report() // perhaps nobody leads
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Len(c, both(), len(events.written)) }, patience, 100*time.Millisecond)
		victim.start()
	}
	for s := range events.written {
		assert.Contains(t, both(), s)
	}
	unique := map[string]bool{}
	for _, id := range both() {
		unique[id] = true
	}
	assert.Len(t, unique, len(events.written))
	for _, r := range replicas {
		require.NoError(t, r.Stop())
		assert.NotContains(t, r.Tail(), "panic")
	}
}
