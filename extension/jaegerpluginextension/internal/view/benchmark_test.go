// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package view

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"
)

// rollout makes the stored trace of a Deployment with so many Pods in 20 ReplicaSets, of about so many spans in all: of each Pod
// its object span, 6 requests with 4 observations of what they changed, and 3 Events.
func rollout(spans int) ptrace.Traces {
	td := ptrace.NewTraces()
	add := func(s storedtest.Span) { s.Traces().ResourceSpans().MoveAndAppendTo(td.ResourceSpans()) }
	const web = "Deployment web u-web"
	snapshot := `{"metadata":{"name":"web"},"spec":{"containers":[` + fmt.Sprintf("%q", make([]byte, 1500)) + `]}}`
	add(storedtest.Span{On: web, Owner: "none"})
	for i := range 20 {
		add(storedtest.Span{On: fmt.Sprintf("ReplicaSet web-%d r%d", i, i), Root: web, Parent: web, Owner: web})
	}
	for pod := 0; td.SpanCount() < spans; pod++ {
		owner := fmt.Sprintf("ReplicaSet web-%d r%d", pod%20, pod%20)
		name := fmt.Sprintf("Pod web-%d u%d", pod, pod)
		add(storedtest.Span{On: name, Root: web, Parent: owner, Owner: owner})
		for i := range 6 {
			s := storedtest.Span{On: name, Root: web, Kind: "audit", Name: "system:node:n1 patch status", At: time.Duration(pod*100+i) * time.Millisecond, Version: fmt.Sprint(i)}
			s.Attributes = map[string]any{
				"user.name": "system:node:n1", "k8s.audit.verb": "patch", "k8s.audit.subresource": "status", "http.response.status_code": 200,
				"user.roles": []any{"system:nodes", "system:authenticated"}, "k8s.audit.id": fmt.Sprint(pod, i), "user_agent.original": "kubelet/v1.37.2",
				"client.address": "10.0.0.1", "k8s.audit.level": "RequestResponse", "k8s.audit.stage": "ResponseComplete", "http.request.method": "PATCH",
				"url.path": "/api/v1/namespaces/default/pods/web/status", "k8s.audit.annotation.authorization.k8s.io/decision": "allow",
			}
			if i == 0 {
				s.Snapshot = snapshot
			}
			add(s)
			if i < 4 {
				add(storedtest.Span{
					On: name, Root: web, Kind: "watch", Name: "updated", At: s.At + time.Millisecond, Version: s.Version,
					Attributes: map[string]any{"k8s.watch.managers": []any{"kubelet"}, "k8s.watch.changes": 3},
					Diff:       map[string]any{"status.phase": `"Pending" -> "Running"`, "status.podIP": `null -> "10.1.2.3"`, "status.conditions[type=Ready].status": `"False" -> "True"`},
				})
			}
		}
		for i := range 3 {
			add(storedtest.Span{
				On: name, Root: web, Kind: "event", Name: "Pulled", At: time.Duration(pod*100+50+i) * time.Millisecond, Message: "Successfully pulled image",
				Attributes: map[string]any{"k8s.event.reason": "Pulled", "k8s.event.type": "Normal", "k8s.event.count": 1, "k8s.event.reporting_controller": "kubelet"},
			})
		}
	}
	return td
}

// BenchmarkOpen is what opening a trace costs beside the storage: from stored spans to the displayed trace.
func BenchmarkOpen(b *testing.B) {
	for _, name := range []string{"tracing [full tree]", "tree [full tree]"} {
		for _, spans := range []int{500, 2000, 8000} {
			b.Run(fmt.Sprintf("%s/spans=%d", name, spans), func(b *testing.B) {
				td, m := rollout(spans), modeNamed(b, name)
				b.ReportAllocs()
				before := cpuTime(b)
				for b.Loop() {
					got := Render(graphOf(td), storedtest.ID("Deployment web"), m, Options{TraceID: asked})
					require.NotZero(b, got.SpanCount())
				}
				reportCPU(b, before)
			})
		}
	}
}

// BenchmarkText is what drawing the tree costs.
func BenchmarkText(b *testing.B) {
	got := Render(graphOf(rollout(2000)), storedtest.ID("Deployment web"), modeNamed(b, "tracing [full tree]"), Options{TraceID: asked})
	before := cpuTime(b)
	for b.Loop() {
		require.NoError(b, text.Write(io.Discard, got, text.Options{}))
	}
	reportCPU(b, before)
}

// cpuTime is what the process has used, garbage collection included: what counts on a machine that others use too.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func reportCPU(b *testing.B, before time.Duration) {
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}
