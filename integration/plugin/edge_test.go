// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package plugin

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// replay is what was told once more, with its times moved.
type replay struct {
	edge  time.Time
	shift time.Duration
}

// replayOverAnEdge posts what the API server told of the roll-out once more, as that of a cluster called edge, with its times moved so that the
// second ReplicaSet comes right after a window's edge. So the Deployment and the first ReplicaSet are in two stored traces.
func (b *bed) replayOverAnEdge(t *testing.T, result *testbed.RolloutResult) replay {
	t.Helper()
	all := b.readAuditLog(t)
	var second time.Time
	for _, e := range all.events {
		if e.Verb == "create" && e.ObjectRef.Resource == "replicasets" && nameIn(e) == result.ReplicaSets[1].Name {
			second = e.RequestReceivedTimestamp
		}
	}
	require.False(t, second.IsZero())
	// Not the last edge: what came after it would be yet to come.
	edge := identity.DefaultWindow.Start(time.Now().Add(-time.Duration(identity.DefaultWindow)))
	shift := edge.Add(time.Millisecond).Sub(second)
	var batch []json.RawMessage
	for i, e := range all.events {
		if e.ObjectRef.Namespace != result.Namespace || !e.Writes() {
			continue
		}
		var event map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(all.lines[i], &event))
		for key, at := range map[string]time.Time{"requestReceivedTimestamp": e.RequestReceivedTimestamp, "stageTimestamp": e.StageTimestamp} {
			event[key] = json.RawMessage(`"` + at.Add(shift).UTC().Format("2006-01-02T15:04:05.000000Z") + `"`)
		}
		moved, err := json.Marshal(event)
		require.NoError(t, err)
		batch = append(batch, moved)
	}
	b.post(t, "edge", batch...)
	return replay{edge, shift}
}

// post sends audit events as those of a cluster.
func (b *bed) post(t *testing.T, cluster string, events ...json.RawMessage) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": events})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.webhook+"/audit/"+cluster, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// requireEdge: the two stored traces are one view, in which nothing is missing or twice; and only what was in the time range is shown.
func (p *page) requireEdge(t *testing.T, result *testbed.RolloutResult, all told, moved replay) {
	edge := moved.edge
	deployment := identity.Object{Cluster: "edge", Group: "apps", Resource: "deployments", Namespace: result.Namespace, Name: result.Deployment.Name}
	tags := map[string]string{"resource": "deployments", "namespace": result.Namespace, "name": result.Deployment.Name}
	requests := all.writes("deployments", result.Namespace, result.Deployment.Name)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, at := range []time.Time{edge.Add(-1), edge} {
			id := identity.TraceID(deployment, identity.DefaultWindow.Start(at))
			raw, err := p.jaeger.Trace(t.Context(), hex.EncodeToString(id[:]))
			require.NoError(c, err, "a stored trace in the window of %s", at)
			require.NotEmpty(c, raw.Find(func(s testbed.Span) bool { return s.Operation == "deployments/"+result.Deployment.Name }))
		}
		traces, err := p.searchIn(t, "edge", "tracing [full tree]", tags)
		require.NoError(c, err)
		require.Len(c, traces, 1)
		require.Len(c, traces[0].Roots(), 1, "%s", traces[0])
		root := traces[0].Roots()[0]
		assert.True(c, root.Start.Before(edge) && root.End().After(edge), "%s", traces[0])
		got := read(t, "tracing", traces[0])
		assert.Equal(c, requests, got.requests("deployments/"+result.Deployment.Name))
		for object := range expected(result, "full tree") {
			assert.Contains(c, got.objects, object)
		}
		for _, span := range traces[0].Spans {
			assert.Empty(c, span.Warnings)
		}
	}, patience, 500*time.Millisecond)

	traces, err := p.jaeger.FindTraces(t.Context(), testbed.TraceQuery{Service: "tracing [full tree]", Operation: "edge", Tags: tags, Start: edge})
	require.NoError(t, err)
	require.Len(t, traces, 1)
	later := told{}
	for _, e := range all.events {
		if !e.StageTimestamp.Add(moved.shift).Before(edge) { // of what began before it, that which ended after it counts
			later.events = append(later.events, e)
		}
	}
	got := read(t, "tracing", traces[0])
	want := later.writes("deployments", result.Namespace, result.Deployment.Name)
	assert.Equal(t, want, got.requests("deployments/"+result.Deployment.Name))
	assert.NotEmpty(t, want)
	assert.Less(t, len(want), len(requests), "the first requests were before the time range")
}
