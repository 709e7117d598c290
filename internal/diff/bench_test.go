// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package diff_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/internal/diff"
)

// BenchmarkCompare compares what the recorded audit log shows of each write with the state before it.
func BenchmarkCompare(b *testing.B) {
	steps := recorded(b)
	size := 0
	for _, s := range steps {
		size += len(s.after)
	}
	d := diff.New(diff.Options{MaxChanges: 100, Noise: diff.DefaultNoise()})
	b.ReportAllocs()
	b.SetBytes(int64(size / len(steps)))
	before := cpuTime(b)
	for i := 0; b.Loop(); i++ {
		s := steps[i%len(steps)]
		if _, err := d.Compare(s.before, s.after, diff.SchemaOf(s.group, s.kind)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// BenchmarkTrees is what it costs merely to decode both sides into trees and to see whether they differ.
func BenchmarkTrees(b *testing.B) {
	steps := recorded(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := steps[i%len(steps)]
		var before, after any
		require.NoError(b, json.Unmarshal(s.before, &before))
		require.NoError(b, json.Unmarshal(s.after, &after))
		require.False(b, reflect.DeepEqual(before, after))
	}
}

// BenchmarkUnchanged is the cost of a write that changed nothing but the resourceVersion.
func BenchmarkUnchanged(b *testing.B) {
	after := recorded(b)[0].after
	before := bytes.Replace(after, []byte(`"resourceVersion":"`), []byte(`"resourceVersion":"1`), 1)
	d := diff.New(diff.Options{Noise: diff.DefaultNoise()})
	b.ReportAllocs()
	for b.Loop() {
		result, err := d.Compare(before, after, diff.SchemaOf("apps", "Deployment"))
		if err != nil || len(result.Changes) > 0 {
			b.Fatal(err)
		}
	}
}

// cpuTime is what the process has used, garbage collection included: what counts on a machine that others use too.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
