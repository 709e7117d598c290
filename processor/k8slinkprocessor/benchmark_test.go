// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package k8slinkprocessor

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// The load of the benchmarks: batches of as many audit spans as the API server sends at once, over Deployments with
// two ReplicaSets of 20 Pods each.
const (
	batchSize       = 400
	podsOfOne       = 20
	replicaSetsEach = 2
)

// BenchmarkTelling is the same with the owners on every span, as receivers make them of whole bodies.
func BenchmarkTelling(b *testing.B) {
	e := newTestEngine(b)
	batches := workload(20_000, true, batchSize)
	for _, td := range batches {
		run(e, clone(td))
	}
	benchmarkBatches(b, func() *engine { return e }, batches[:inOneGo])
}

// BenchmarkCold makes a new engine for each batch: nothing is known, and all object spans have to be made.
func BenchmarkCold(b *testing.B) {
	batches := workload(20_000, true, batchSize)
	benchmarkBatches(b, func() *engine { return newTestEngine(b) }, batches[:min(len(batches), inOneGo)])
}

// BenchmarkJoins is audit spans of changes that are remembered: every one gets a diff.
func BenchmarkJoins(b *testing.B) {
	e := newTestEngine(b, func(c *Config) { c.Joins.MaxSize = 1 << 30 })
	var batches []ptrace.Traces
	for i := range inOneGo {
		var spans []patched
		for j := range batchSize {
			spans = append(spans, patched{deployment(fmt.Sprintf("web-%d", (i*batchSize+j)/4)), j % 4, true})
		}
		run(e, observed(spans...))
		batches = append(batches, audited(spans...))
	}
	benchmarkBatches(b, func() *engine { return e }, batches)
}

// BenchmarkChanges is watch spans, whose diffs are remembered.
func BenchmarkChanges(b *testing.B) {
	var batches []ptrace.Traces
	for i := range inOneGo {
		var spans []patched
		for j := range batchSize {
			spans = append(spans, patched{deployment(fmt.Sprintf("web-%d", (i*batchSize+j)/4)), j % 4, true})
		}
		batches = append(batches, observed(spans...))
	}
	benchmarkBatches(b, func() *engine { return newTestEngine(b) }, batches)
}

// BenchmarkForeignTraces is what a pipeline pays for spans that have nothing to do with Kubernetes objects.
func BenchmarkForeignTraces(b *testing.B) {
	var spans []foreignSpan
	for i := range batchSize {
		spans = append(spans, foreignSpan{name: "query", id: byte(i + 1), parent: byte(i)})
	}
	td := foreignBatch(spans...)
	for _, s := range flatten(td) {
		fillAttributes(s.Span)
	}
	e := newTestEngine(b)
	benchmarkBatches(b, func() *engine { return e }, slices.Repeat([]ptrace.Traces{td}, 20*inOneGo))
}

// benchmarkBatches measures link and accepted, but not the making of the input. It counts the CPU time of the whole
// process, garbage collection included, so that what else runs on the machine makes little difference.
func benchmarkBatches(b *testing.B, engineFor func() *engine, batches []ptrace.Traces) {
	b.ReportAllocs()
	var spent time.Duration
	spans := 0
	for b.Loop() {
		b.StopTimer()
		fresh := make([]ptrace.Traces, len(batches))
		engines := make([]*engine, len(batches))
		for i, td := range batches {
			fresh[i], engines[i] = clone(td), engineFor()
			spans += td.SpanCount()
		}
		b.StartTimer()
		begin := cpuTime(b)
		for i, td := range fresh {
			run(engines[i], td)
		}
		spent += cpuTime(b) - begin
	}
	b.ReportMetric(float64(spans)/spent.Seconds(), "spans/cpu-s")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(spans), "CPU-ns/span")
}

// inOneGo bounds how many batches are measured at once.
const inOneGo = 64

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// workload makes batches with two spans on each of that many Pods, and some on their owners.
func workload(pods int, tell bool, size int) []ptrace.Traces {
	var (
		batches []ptrace.Traces
		batch   *objectspan.Batch
		spans   int
	)
	add := func(r objectspan.Resource, owners string) {
		if batch == nil {
			batch = objectspan.NewBatch(window, "receiver", "1")
		}
		span := batch.Append(r, attr.SpanTypeAudit, noon.Add(time.Second), noon.Add(2*time.Second))
		span.SetName("system:node:n1 patch status")
		span.SetSpanID(identity.AuditSpanID(span.TraceID(), fmt.Sprint(spans), identity.AuditComplete))
		fillAttributes(span)
		if tell {
			span.Attributes().PutStr(attr.Owners, owners)
		}
		if spans++; spans%size == 0 {
			batches, batch = append(batches, batch.Traces()), nil
		}
	}
	for i := range pods {
		perDeployment := podsOfOne * replicaSetsEach
		web := uidFor(deployment(fmt.Sprintf("web-%d", i/perDeployment)))
		rs := uidFor(replicaSet(fmt.Sprintf("%s-%x", web.Name, i/podsOfOne)))
		p := uidFor(pod(fmt.Sprintf("%s-%05x", rs.Name, i)))
		if i%perDeployment == 0 {
			add(web, "[]")
		}
		if i%podsOfOne == 0 {
			add(rs, controlledBy(web))
		}
		add(p, controlledBy(rs))
		add(p, controlledBy(rs))
	}
	if batch != nil {
		batches = append(batches, batch.Traces())
	}
	return batches
}

// uidFor gives the object a UID as Kubernetes makes them.
func uidFor(r objectspan.Resource) objectspan.Resource {
	id := identity.ObjectID(r.Object)
	r.UID = fmt.Sprintf("%x-0000-4000-8000-%x", id[:4], id[:6])
	return r
}

// fillAttributes adds what an audit span has.
func fillAttributes(span ptrace.Span) {
	attrs := span.Attributes()
	attrs.PutStr(attr.AuditID, "00000000-0000-4000-8000-000000000000")
	attrs.PutStr(attr.AuditLevel, "RequestResponse")
	attrs.PutStr(attr.AuditStage, "ResponseComplete")
	attrs.PutStr(attr.AuditVerb, "patch")
	attrs.PutStr(attr.AuditSubresource, "status")
	attrs.PutStr(attr.UserName, "system:node:n1")
	attrs.PutEmptySlice(attr.UserRoles).AppendEmpty().SetStr("system:nodes")
	attrs.PutStr(attr.UserAgent, "kubelet/v1.37.2 (linux/amd64)")
	attrs.PutStr(attr.ClientAddress, "10.0.0.1")
	attrs.PutStr(attr.HTTPRequestMethod, "PATCH")
	attrs.PutInt(attr.HTTPResponseStatus, 200)
	attrs.PutStr(attr.URLPath, "/api/v1/namespaces/default/pods/x/status")
	attrs.PutStr(attr.ObjectResourceVersion, "123456")
	attrs.PutInt(attr.ObjectGeneration, 1)
	attrs.PutStr(attr.AuditAnnotationPrefix+"authorization.k8s.io/decision", "allow")
}
