// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package events

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const root = "../.."

func startBinary(t *testing.T, config string, env ...string) *collector.Collector {
	t.Helper()
	return startLogged(t, nil, config, env...)
}

func startLogged(t *testing.T, log io.Writer, config string, env ...string) *collector.Collector {
	t.Helper()
	return collector.ForTest(t, collector.Options{
		Root: root, Config: config, Env: append(env, "KUBECONFIG="+shared.Kubeconfig), Set: []string{collector.NoMetrics}, Log: log,
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
	// losses is how often it lost the lease.
	losses lineCounter
	*collector.Collector
}

func newElected(t *testing.T) *elected {
	t.Helper()
	dir := t.TempDir()
	return &elected{t: t, dir: dir, traces: filepath.Join(dir, "traces.jsonl"), losses: lineCounter{text: "Leader lease lost"}}
}

func (e *elected) start() {
	e.Collector = startLogged(e.t, &e.losses, filepath.Join("integration", "events", "testdata", "elected.yaml"),
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

// lineCounter is a log that counts the lines that have a text.
type lineCounter struct {
	text string
	n    atomic.Int64
}

// Write implements io.Writer. It is called for each line.
func (c *lineCounter) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(c.text)) {
		c.n.Add(1)
	}
	return len(line), nil
}

// pair is two replicas, of which one reads Events.
type pair []*elected

func startPair(t *testing.T) pair {
	t.Helper()
	replicas := pair{newElected(t), newElected(t)}
	for _, r := range replicas {
		r.start()
	}
	return replicas
}

// told is what they told together. Where both did, it is the same.
func (p pair) told(t *testing.T, namespace string) map[state]string {
	t.Helper()
	ids := map[state]string{}
	for _, r := range p {
		for s, id := range r.told(namespace) {
			if other, ok := ids[s]; ok {
				assert.Equal(t, other, id, "the replicas disagree on %v", s)
			}
			ids[s] = id
		}
	}
	return ids
}

// requireAllOnce: each Event that was written is told, and each has an ID of its own.
func (p pair) requireAllOnce(t *testing.T, events *reporter) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Len(c, p.told(t, events.namespace), len(events.written)) }, patience, 100*time.Millisecond)
	all, unique := p.told(t, events.namespace), map[string]bool{}
	for s := range events.written {
		assert.Contains(t, all, s)
		unique[all[s]] = true
	}
	assert.Len(t, unique, len(events.written))
	for _, r := range p {
		require.NoError(t, r.Stop())
		assert.NotContains(t, r.Tail(), "panic")
	}
}

// TestElectedLeaderIsKilledAndTheNextOneGoesOn, with the elector that the distribution has.
func TestElectedLeaderIsKilledAndTheNextOneGoesOn(t *testing.T) {
	events := newReporter(t, shared, "elected")
	replicas := startPair(t)
	for round := range 4 {
		for range 5 {
			events.report()
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Len(c, replicas.told(t, events.namespace), len(events.written))
		}, patience, 100*time.Millisecond)
		victim := replicas[round%2]
		victim.kill() // from the second round on it is the leader
		for range 5 {
			events.report() // perhaps nobody leads
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Len(c, replicas.told(t, events.namespace), len(events.written))
		}, patience, 100*time.Millisecond)
		victim.start()
	}
	replicas.requireAllOnce(t, events)
}

// TestLeadershipIsLostTwentyTimes, because somebody else takes the lease, while the processes go on. That is situation 12.
func TestLeadershipIsLostTwentyTimes(t *testing.T) {
	const name, thief = "kelemetry-events", "thief"
	ctx, leases := t.Context(), shared.Admin.Client.CoordinationV1().Leases("default")
	if err := leases.Delete(ctx, name, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) { // that of a test before
		require.NoError(t, err)
	}
	events := newReporter(t, shared, "robbed")
	replicas := startPair(t)
	for round := range 20 {
		require.Eventually(t, func() bool {
			lease, err := leases.Get(ctx, name, metav1.GetOptions{})
			return err == nil && *lease.Spec.HolderIdentity != ""
		}, patience, 20*time.Millisecond, "somebody leads")
		events.report()
		require.NoError(t, retry.RetryOnConflict(wait.Backoff{Steps: 100, Duration: time.Millisecond}, func() error {
			lease, err := leases.Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = new(thief), new(int32(60)), new(metav1.NowMicro())
			_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
			return err
		}))
		require.Eventually(t, func() bool {
			return replicas[0].losses.n.Load()+replicas[1].losses.n.Load() > int64(round)
		}, patience, 10*time.Millisecond, "the leader has noticed")
		events.report() // nobody leads
		require.NoError(t, leases.Delete(ctx, name, metav1.DeleteOptions{}))
	}
	replicas.requireAllOnce(t, events)
}
