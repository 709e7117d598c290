// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func keyOf(name string) key {
	return key{schema.GroupResource{Resource: "pods"}, "default", name}
}

type podAnswer = answer[*metav1.PartialObjectMetadata]

var none = podAnswer{result: NotFound}

// pod is the metadata of a Pod as it comes from an API server: each text has memory of its own.
func pod(i int) *metav1.PartialObjectMetadata {
	labels := map[string]string{}
	for j := range 6 {
		labels[fmt.Sprintf("app.kubernetes.io/label-%d", j)] = fmt.Sprintf("value-%d-%d", i, j)
	}
	isController := true
	return &metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("hello-6f5d8b7c9-%05d", i), GenerateName: fmt.Sprintf("hello-%d", i), Namespace: strings.Clone("default"),
			UID: types.UID(fmt.Sprintf("01234567-89ab-cdef-0123-%012d", i)), ResourceVersion: fmt.Sprint(i), Labels: labels,
			Annotations:     map[string]string{"example.com/note": fmt.Sprintf("%0100d", i)},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: strings.Clone("apps/v1"), Kind: strings.Clone("ReplicaSet"), Name: fmt.Sprintf("hello-%d", i), UID: types.UID(fmt.Sprintf("%036d", i)), Controller: &isController}},
		},
	}
}

func TestTheEstimateOfMemoryIsNotFarOff(t *testing.T) {
	for what, of := range map[string]func(i int) podAnswer{
		"objects":   func(i int) podAnswer { return podAnswer{Found, pod(i)} },
		"negatives": func(int) podAnswer { return none },
	} {
		t.Run(what, func(t *testing.T) {
			const n = 5000
			before := heap()
			c := newCache(1<<40, SizeOfMetadata)
			for i := range n {
				c.put(keyOf(fmt.Sprintf("hello-6f5d8b7c9-%05d", i)), of(i), time.Now())
			}
			measured, estimated := heap()-before, c.usage().Bytes
			runtime.KeepAlive(c)
			t.Logf("measured %d bytes each, estimated %d", measured/n, estimated/n)
			assert.InEpsilon(t, measured, estimated, 0.5)
			assert.Less(t, measured, estimated*12/10, "too low an estimate breaks the bound")
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestTheLeastUsedGivesWay(t *testing.T) {
	now := time.Now()
	later := now.Add(time.Minute)
	each := newCache(0, SizeOfMetadata).sizeOf(keyOf("a"), none)
	c := newCache(20*each, SizeOfMetadata)
	for i := range 20 {
		c.put(keyOf(string(rune('a'+i))), none, later)
	}
	_, ok := c.get(keyOf("a"), now)
	assert.True(t, ok)
	c.put(keyOf("z"), none, later)
	_, ok = c.get(keyOf("a"), now)
	assert.True(t, ok, "was used")
	_, ok = c.get(keyOf("b"), now)
	assert.False(t, ok)
	assert.Equal(t, Usage{Entries: 20, Bytes: 20 * each, Evicted: 1}, c.usage())
}

func TestReplacingAndExpiringFreesWhatWasTaken(t *testing.T) {
	now := time.Now()
	c := newCache(1<<20, SizeOfMetadata)
	c.put(keyOf("a"), podAnswer{Found, pod(1)}, now.Add(time.Minute))
	c.put(keyOf("a"), none, now.Add(time.Minute))
	assert.Equal(t, Usage{Entries: 1, Bytes: c.sizeOf(keyOf("a"), none)}, c.usage())
	_, ok := c.get(keyOf("a"), now.Add(time.Minute))
	assert.False(t, ok)
	assert.Equal(t, Usage{}, c.usage())
}

func TestAHugeObjectDoesNotEmptyTheCache(t *testing.T) {
	now := time.Now()
	c := newCache(1<<20, SizeOfMetadata)
	c.put(keyOf("a"), none, now.Add(time.Minute))
	huge := pod(1)
	huge.Annotations["huge"] = strings.Repeat("x", 1<<20)
	c.put(keyOf("huge"), podAnswer{Found, huge}, now.Add(time.Minute))
	_, ok := c.get(keyOf("a"), now)
	assert.True(t, ok)
	assert.EqualValues(t, 1, c.usage().Evicted)
}

func BenchmarkCached(b *testing.B) {
	c := newCache(1<<30, SizeOfMetadata)
	for i := range 1000 {
		c.put(keyOf(fmt.Sprint(i)), podAnswer{Found, pod(i)}, time.Now().Add(time.Hour))
	}
	k := keyOf("500")
	b.ReportAllocs()
	for b.Loop() {
		if a, ok := c.get(k, time.Now()); !ok || a.object.DeepCopy() == nil {
			b.Fatal("not found")
		}
	}
}
