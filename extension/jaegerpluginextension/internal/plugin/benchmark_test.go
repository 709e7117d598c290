// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package plugin

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// BenchmarkRoot searches for a Deployment with its whole tree and opens it, at several numbers of stored spans, with a storage in memory.
func BenchmarkRoot(b *testing.B) {
	const entriesPerPod = 17
	for _, spans := range []int{500, 2000, 8000} {
		pods := spans / (entriesPerPod + 2) // with its own span and Scheduled
		w := storagetest.NewWorld(pods)
		for i, pod := range w.Pods {
			for n := range entriesPerPod {
				at := w.Start.Add(time.Duration(i*100+n*10) * time.Millisecond)
				w.Happen(at, pod, attr.SpanTypeAudit, fmt.Sprintf("system:node:n%d patch status", n), map[string]any{
					attr.UserName: "system:node:n1", attr.AuditVerb: "patch", attr.AuditSubresource: "status", attr.HTTPResponseStatus: 200,
					attr.ObjectResourceVersion: fmt.Sprint(i*100 + n), attr.UserAgent: "kubelet/v1.37.2 (linux/amd64)", attr.ClientAddress: "10.0.0.1",
				})
			}
		}
		p := newPlugin(b, &w.Store)
		q := query(w, "tracing [full tree]", "prod", map[string]any{"resource": "deployments", "name": "hello"})
		d, _ := identity.NewDisplay(0x21000000, w.Deployment.ID(), q.StartMin, q.StartMax)
		b.Run(fmt.Sprintf("summary/spans=%d", spans), func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				for summaries, err := range p.FindTraceSummaries(b.Context(), q) {
					require.NoError(b, err)
					require.Len(b, summaries, 1)
				}
			}
			reportCPU(b, before)
		})
		b.Run(fmt.Sprintf("open/spans=%d", spans), func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				for td, err := range p.GetTraces(b.Context(), []jaegerstorage.TraceParams{{TraceID: d.TraceID()}}) {
					require.NoError(b, err)
					require.Equal(b, 2+pods, td.SpanCount())
					_, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td) // as it is sent
					require.NoError(b, err)
				}
			}
			reportCPU(b, before)
		})
	}
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
