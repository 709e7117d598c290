// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var hello = Object{Cluster: "prod", Group: "apps", Resource: "deployments", Namespace: "default", Name: "hello"}

// FuzzObjectID: two keys have the same id only if they are the same, wherever the borders between their fields are.
func FuzzObjectID(f *testing.F) {
	f.Add("a", "b", "c", "d", "e", "ab", "", "c", "d", "e")
	f.Add("\x00\x00\x00\x01", "", "", "", "", "", "\x00\x00\x00\x01", "", "", "")
	f.Fuzz(func(t *testing.T, a, b, c, d, e, v, w, x, y, z string) {
		one := Object{Cluster: a, Group: b, Resource: c, Namespace: d, Name: e}
		other := Object{Cluster: v, Group: w, Resource: x, Namespace: y, Name: z}
		require.Equal(t, one == other, ObjectID(one) == ObjectID(other))
		require.Equal(t, one == other, TraceID(one, time.Unix(0, 0)) == TraceID(other, time.Unix(0, 0)))
	})
}

// TestNoStoredTraceLooksLikeADisplayID over enough traces for each first byte to occur some hundred times.
func TestNoStoredTraceLooksLikeADisplayID(t *testing.T) {
	seen := map[byte]int{}
	for i := range int64(50_000) {
		seen[TraceID(hello, time.Unix(i*1800, 0))[0]]++
	}
	assert.Zero(t, seen[0xff])
	assert.Len(t, seen, 255)
}

func TestSpanIDsOfDifferentKindsDiffer(t *testing.T) {
	trace := TraceID(hello, time.Unix(0, 0))
	ids := map[pcommon.SpanID]bool{
		ObjectSpanID(trace, ObjectID(hello)):      true,
		AuditSpanID(trace, "a", AuditReceived):    true,
		AuditSpanID(trace, "a", AuditStarted):     true,
		AuditSpanID(trace, "a", AuditComplete):    true,
		AuditSpanID(trace, "b", AuditComplete):    true,
		EventSpanID(trace, "a", 1):                true,
		EventSpanID(trace, "a", 2):                true,
		WatchSpanID(trace, "a", "1", "updated"):   true,
		WatchSpanID(trace, "a", "1u", "pdated"):   true,
		WatchSpanID(trace, "a", "2", "updated"):   true,
		WatchSpanID(trace, "a", "2", "deleted"):   true,
		WatchSpanID([16]byte{}, "a", "2", "gone"): true,
		LinkSpanID(trace, ID{1}, ID{2}, "a", ""):  true,
		LinkSpanID(trace, ID{2}, ID{1}, "a", ""):  true,
		LinkSpanID(trace, ID{1}, ID{2}, "", "a"):  true,
	}
	assert.Len(t, ids, 15)
	assert.NotContains(t, ids, pcommon.SpanID{})
}

// TestWindows: every time is in exactly the window that says so, and windows leave no gap.
func TestWindows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		window := Window(time.Duration(60+r.Int64N(1e5)) * time.Second)
		require.NoError(t, window.Validate())
		at := time.Unix(r.Int64N(8e9)-4e9, r.Int64N(1e9))
		start, end := window.Start(at), window.End(at)
		require.False(t, at.Before(start))
		require.True(t, at.Before(end))
		require.Equal(t, time.Duration(window), end.Sub(start))
		require.Equal(t, start, window.Start(start))
		require.Equal(t, end, window.Start(end))
		require.Equal(t, time.UTC, start.Location())
		require.Zero(t, start.Unix()%int64(time.Duration(window)/time.Second))
	}
}

func TestWindowValidate(t *testing.T) {
	for window, ok := range map[time.Duration]bool{
		30 * time.Minute: true, time.Minute: true, 61 * time.Second: true, 24 * time.Hour: true,
		0: false, -time.Hour: false, 59 * time.Second: false, time.Hour + time.Millisecond: false,
	} {
		assert.Equal(t, ok, Window(window).Validate() == nil, window)
	}
	assert.NoError(t, DefaultWindow.Validate())
}

func TestObjectNames(t *testing.T) {
	assert.Equal(t, "deployments/hello", hello.SpanName())
	assert.Equal(t, "deployments.apps", hello.GroupResource())
	pods := Object{Resource: "pods"}
	assert.Equal(t, "pods/*", pods.SpanName())
	assert.Equal(t, "pods", pods.GroupResource())
}

func TestGroupVersion(t *testing.T) {
	for apiVersion, want := range map[string][2]string{
		"v1": {"", "v1"}, "apps/v1": {"apps", "v1"}, "rbac.authorization.k8s.io/v1": {"rbac.authorization.k8s.io", "v1"}, "": {"", ""},
	} {
		group, version := GroupVersion(apiVersion)
		assert.Equal(t, want, [2]string{group, version}, apiVersion)
		assert.Equal(t, apiVersion, APIVersion(group, version))
	}
}

// TestHashingDoesNotAllocate for names of ordinary length.
func TestHashingDoesNotAllocate(t *testing.T) {
	trace := TraceID(hello, time.Unix(0, 0))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		ObjectID(hello)
		TraceID(hello, time.Unix(0, 0))
		ObjectSpanID(trace, ID{})
		AuditSpanID(trace, "3c1b6c1e-5f0e-4f4b-9a57-0b5d6b3a6c11", AuditComplete)
	}))
}

func TestOwners(t *testing.T) {
	owners := []OwnerReference{
		{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "hello-1", UID: "u", Controller: true},
		{APIVersion: "v1", Kind: "Node", Name: "n<&>"},
	}
	for _, list := range [][]OwnerReference{nil, owners[:1], owners} {
		got, err := ParseOwners(FormatOwners(list))
		require.NoError(t, err)
		assert.Equal(t, list, got)
	}
	assert.Equal(t, `[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"hello-1","uid":"u","controller":true}]`, FormatOwners(owners[:1]))
	assert.Equal(t, "[]", FormatOwners(nil))
	_, err := ParseOwners("{")
	assert.ErrorContains(t, err, "reading owner references")
}

func BenchmarkIDs(b *testing.B) {
	trace := TraceID(hello, time.Unix(0, 0))
	b.Run("object", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ObjectID(hello)
		}
	})
	b.Run("trace", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			TraceID(hello, time.Unix(0, 0))
		}
	})
	b.Run("object-span", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ObjectSpanID(trace, ID{})
		}
	})
}
