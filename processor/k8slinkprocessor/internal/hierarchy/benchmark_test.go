// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

const benchObjects = 100_000

// benchPod is one of the Pods of a cluster with that many in a ReplicaSet. Its text is its own, as that of a decoded
// batch is.
func benchPod(i, siblings int) (objectspan.Resource, string) {
	rs := i / siblings
	r := objectspan.Resource{
		Object: identity.Object{
			Cluster: strings.Clone("production"), Resource: strings.Clone("pods"),
			Namespace: fmt.Sprintf("namespace-%d", rs%100), Name: fmt.Sprintf("web-%d-6d5f9c7b8-%05x", rs, i),
		},
		Kind: "Pod", APIVersion: "v1", UID: fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i),
	}
	return r, identity.FormatOwners([]identity.OwnerReference{{
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: fmt.Sprintf("web-%d-6d5f9c7b8", rs),
		UID: fmt.Sprintf("%08x-0000-4000-8000-%012x", 1<<30+rs, rs), Controller: true,
	}})
}

// BenchmarkObjectMemory tells what a cached object costs: as it is done, and keyed by the object's five strings.
func BenchmarkObjectMemory(b *testing.B) {
	for _, siblings := range []int{20, 1} {
		b.Run(fmt.Sprintf("key=id/siblings=%d", siblings), func(b *testing.B) {
			measureMemory(b, func() any {
				k, err := NewKnowledge(Bounds{Objects: benchObjects, Depth: 16}, time.Now)
				require.NoError(b, err)
				for i := range benchObjects {
					f := NewForest()
					r, owners := benchPod(i, siblings)
					parsed, err := ParseOwners(owners, ControllerOnly)
					require.NoError(b, err)
					f.Add(r).Teach(parsed, 1)
					k.Complete(context.Background(), f, nil)
				}
				return k
			})
		})
	}
	b.Run("key=strings/siblings=20", func(b *testing.B) {
		measureMemory(b, func() any {
			facts, err := simplelru.NewLRU[identity.Object, lives](benchObjects, nil)
			require.NoError(b, err)
			for i := range benchObjects {
				r, owners := benchPod(i, 20)
				parsed, err := ParseOwners(owners, ControllerOnly)
				require.NoError(b, err)
				facts.Add(r.Object, firstFact(fact{uid: r.UID, at: 1, owners: parsed}))
			}
			return facts
		})
	})
}

func measureMemory(b *testing.B, fill func() any) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		filled := fill()
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(filled)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/benchObjects, "B/object")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLookup is what an object and its owners cost when all of them are in the cache.
func BenchmarkLookup(b *testing.B) {
	for _, cached := range []int{1_000, benchObjects} {
		b.Run(fmt.Sprintf("cached=%d", cached), func(b *testing.B) {
			k, err := NewKnowledge(Bounds{Objects: cached, Depth: 16}, time.Now)
			require.NoError(b, err)
			resources := make([]objectspan.Resource, cached)
			for i := range resources {
				f := NewForest()
				r, owners := benchPod(i, 20)
				parsed, err := ParseOwners(owners, ControllerOnly)
				require.NoError(b, err)
				f.Add(r).Teach(parsed, 1)
				k.Complete(context.Background(), f, nil)
				resources[i] = r
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f := NewForest()
				f.Add(resources[i*7919%cached])
				k.Complete(context.Background(), f, nil)
			}
		})
	}
}
