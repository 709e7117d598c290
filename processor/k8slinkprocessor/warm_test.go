// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package k8slinkprocessor

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// traffic is an endless load: objects whose owners are known, and audit spans on them, over and over, while time goes on. So windows
// begin and end, at other moments for each batch, each object has twenty spans in a window, and no two spans have one ID.
type traffic struct {
	objects []objectspan.Resource
	owners  []string
	// tell has spans tell the owners, as those of whole bodies do.
	tell bool
	// show, if it is set, is the content of an object that its first span shows.
	show func(i int) string
	next int
	made uint64
}

// spansEach is how many spans on an object come together, and passesEach how often they do within a window.
const spansEach, passesEach = 2, 10

// trafficOn is about that many Pods and their owners, two ReplicaSets of 20 Pods in each Deployment.
func trafficOn(pods int) *traffic {
	t := &traffic{}
	add := func(r objectspan.Resource, owners string) objectspan.Resource {
		r = uidFor(r)
		t.objects, t.owners = append(t.objects, r), append(t.owners, owners)
		return r
	}
	var web, rs objectspan.Resource
	for i := range pods {
		if i%(podsOfOne*replicaSetsEach) == 0 {
			web = add(deployment(fmt.Sprintf("web-%d", i/(podsOfOne*replicaSetsEach))), "[]")
		}
		if i%podsOfOne == 0 {
			rs = add(replicaSet(fmt.Sprintf("%s-%x", web.Name, i/podsOfOne)), controlledBy(web))
		}
		add(pod(fmt.Sprintf("%s-%05x", rs.Name, i)), controlledBy(rs))
	}
	return t
}

func (t *traffic) batches(n int) []ptrace.Traces {
	all := make([]ptrace.Traces, n)
	for i := range all {
		all[i] = t.batch()
	}
	return all
}

// whole is as many batches as show each object once.
func (t *traffic) whole() int {
	each := batchSize / spansEach
	return (len(t.objects) + each - 1) / each
}

func (t *traffic) batch() ptrace.Traces {
	batch := objectspan.NewBatch(window, "receiver", "1")
	const each = batchSize / spansEach
	for range each {
		i := t.next % len(t.objects)
		pass := t.next / len(t.objects)
		at := noon.Add(time.Duration(pass+i/each%passesEach) * time.Duration(window) / passesEach)
		t.next++
		for j := range spansEach {
			span := batch.Append(t.objects[i], attr.SpanTypeAudit, at.Add(time.Duration(j)*time.Second), at.Add(time.Duration(j+1)*time.Second))
			span.SetName("system:node:n1 patch status")
			t.made++
			var id pcommon.SpanID
			binary.BigEndian.PutUint64(id[:], t.made)
			span.SetSpanID(id)
			fillAttributes(span)
			if t.tell {
				span.Attributes().PutStr(attr.Owners, t.owners[i])
			}
			if t.show != nil && pass == 0 && j == 0 {
				if content := t.show(i); content != "" {
					event := span.Events().AppendEmpty()
					event.SetName(attr.EventSnapshot)
					event.Attributes().PutStr(attr.SnapshotObject, content)
				}
			}
		}
	}
	return batch.Traces()
}

// warm is an engine that has seen all objects, for a whole window.
func (t *traffic) warm(b *testing.B, change ...func(*Config)) *engine {
	e := newTestEngine(b, append([]func(*Config){func(c *Config) { c.MaxObjects = 2 * len(t.objects) }}, change...)...)
	tell := t.tell
	t.tell = true
	for range t.whole() {
		run(e, t.batch())
	}
	t.tell = tell
	return e
}

// BenchmarkWarm is the steady state: owners are known, and most object spans of the window are sent. Time goes on, so that they are
// sent anew in each window.
func BenchmarkWarm(b *testing.B) {
	for _, cached := range []int{2_000, 100_000} {
		for _, tell := range []bool{false, true} {
			b.Run(fmt.Sprintf("cached=%d,told=%t", cached, tell), func(b *testing.B) {
				t := trafficOn(cached)
				t.tell = tell
				measure(b, t, t.warm(b))
			})
		}
	}
}

// BenchmarkLinked is the steady state when every Pod has a link to one of 500 Nodes and another one to a claim of its own.
func BenchmarkLinked(b *testing.B) {
	const cached = 100_000
	t := trafficOn(cached)
	t.show = t.linked
	measure(b, t, t.warm(b, func(c *Config) { c.MaxObjects = 4 * cached }))
}

// linked is the content of a Pod that has these links.
func (t *traffic) linked(i int) string {
	if t.objects[i].Object.Resource != "pods" {
		return ""
	}
	return fmt.Sprintf(`{"spec":{"nodeName":"n%d","volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"%d"}}]}}`, i%500, i)
}

// BenchmarkMemory tells what an engine keeps for each of 100,000 Pods: owners, object spans sent, counts of spans; and, when their
// contents were shown, links as in BenchmarkLinked, and what was sent for them.
func BenchmarkMemory(b *testing.B) {
	const pods = 100_000
	for _, linked := range []bool{false, true} {
		b.Run(fmt.Sprintf("linked=%t", linked), func(b *testing.B) {
			var before, after runtime.MemStats
			for b.Loop() {
				t := trafficOn(pods)
				if linked {
					t.show = t.linked
				}
				runtime.GC()
				runtime.ReadMemStats(&before)
				e := t.warm(b, func(c *Config) { c.MaxObjects = 4 * pods })
				runtime.GC()
				runtime.GC() // what is left in a pool goes with the second
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(e)
				runtime.KeepAlive(t)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/pods, "B/object")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// measure counts the CPU time of link and accepted. The collector of garbage does not run meanwhile, and its share is added: it
// runs, as is usual, once for as many bytes as are in use, and what it takes then is measured. So neither the making of the load nor
// what else runs on the machine makes much difference.
func measure(b *testing.B, t *traffic, e *engine) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var spent time.Duration
	var before, after runtime.MemStats
	spans := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batches := t.batches(inOneGo)
		runtime.GC() // what is left of the load's making
		begin := cpuTime(b)
		runtime.GC()
		collection := cpuTime(b) - begin
		runtime.ReadMemStats(&before)
		b.StartTimer()
		begin = cpuTime(b)
		for _, td := range batches {
			spans += td.SpanCount()
			run(e, td)
		}
		spent += cpuTime(b) - begin
		b.StopTimer()
		runtime.ReadMemStats(&after)
		spent += time.Duration(float64(collection) * float64(after.TotalAlloc-before.TotalAlloc) / float64(before.HeapAlloc))
		b.StartTimer()
	}
	b.ReportMetric(float64(spans)/spent.Seconds(), "spans/cpu-s")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(spans), "CPU-ns/span")
}
