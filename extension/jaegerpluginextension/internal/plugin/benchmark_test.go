// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// BenchmarkRoot searches for a Deployment with its whole tree and opens it, at several numbers of stored spans.
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
		b.Run(fmt.Sprintf("summary-%d", spans), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for summaries, err := range p.FindTraceSummaries(b.Context(), q) {
					require.NoError(b, err)
					require.Len(b, summaries, 1)
				}
			}
		})
		b.Run(fmt.Sprintf("open-%d", spans), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for td, err := range p.GetTraces(b.Context(), []jaegerstorage.TraceParams{{TraceID: d.TraceID()}}) {
					require.NoError(b, err)
					require.Equal(b, 2+pods, td.SpanCount())
				}
			}
		})
	}
}
