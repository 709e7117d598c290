// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package watchreceiver

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// recorded returns the states of Pods in the recorded audit log, in their order, as API servers send them.
func recorded(b *testing.B) (texts []string, size int64) {
	b.Helper()
	file, err := os.Open("../../integration/testdata/recording/audit.json.gz")
	require.NoError(b, err)
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	require.NoError(b, err)
	lines := bufio.NewScanner(unzip)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct {
			ResponseObject json.RawMessage
		}
		require.NoError(b, json.Unmarshal(lines.Bytes(), &event))
		if strings.HasPrefix(string(event.ResponseObject), `{"kind":"Pod",`) && strings.Contains(string(event.ResponseObject), `"resourceVersion":"`) {
			texts = append(texts, string(event.ResponseObject))
			size += int64(len(event.ResponseObject))
		}
	}
	require.NoError(b, lines.Err())
	require.NotEmpty(b, texts)
	return texts, size / int64(len(texts))
}

var pods = target{GroupVersionResource: deployments.GroupVersionResource, Kind: "Pod", Namespaced: true}

// cpuTime is what the process has used, garbage collection included: what counts on a machine that others use too.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkUpdate is the whole way of an update of a recorded Pod: read, redacted, compared, packed, and made a span of.
func BenchmarkUpdate(b *testing.B) {
	texts, size := recorded(b)
	r := newRig(b, createDefaultConfig().(*Config), pods)
	r.list(b)
	b.SetBytes(size)
	b.ReportAllocs()
	before := cpuTime(b)
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			r.told = nil
			r.batch = objectspan.NewBatch(1800e9, "bench", "")
		}
		// Again and again the same states, each time with another version.
		text := strings.Replace(texts[i%len(texts)], `"resourceVersion":"`, fmt.Sprintf(`"resourceVersion":"%d`, i), 1)
		item, err := r.read([]byte(text), false)
		if err == nil {
			err = r.Update(item)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// BenchmarkKept reads a first list of Pods and tells what is kept of each.
func BenchmarkKept(b *testing.B) {
	texts, size := recorded(b)
	b.SetBytes(size)
	b.ReportAllocs()
	var r *rig
	n := 0
	for i := 0; b.Loop(); i++ {
		if i%5000 == 0 {
			r, n = newRig(b, createDefaultConfig().(*Config), pods), 0
			r.started = epoch.AddDate(1, 0, 0) // the Pods were there before
		}
		n++
		text := strings.Replace(texts[i%len(texts)], `"name":"`, fmt.Sprintf(`"name":"%d-`, i), 1)
		if _, err := r.read([]byte(text), true); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.budget.Used())/float64(n), "B/object")
}

// BenchmarkMemory tells what is kept of a first list of Pods in all: of each, and together with what the receiver has anyhow.
func BenchmarkMemory(b *testing.B) {
	texts, _ := recorded(b)
	for _, objects := range []int{5_000, 50_000} {
		b.Run(fmt.Sprintf("objects=%d", objects), func(b *testing.B) {
			var before, after runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				r := newRig(b, createDefaultConfig().(*Config), pods)
				r.started = epoch.AddDate(1, 0, 0) // the Pods were there before
				for i := range objects {
					text := strings.Replace(texts[i%len(texts)], `"name":"`, fmt.Sprintf(`"name":"%d-`, i), 1)
					if _, err := r.read([]byte(text), true); err != nil {
						b.Fatal(err)
					}
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(r)
			}
			kept := float64(after.HeapAlloc - before.HeapAlloc)
			b.ReportMetric(kept/float64(objects), "B/object")
			b.ReportMetric(kept/(1<<20), "heap-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}
