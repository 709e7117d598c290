// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

// Package pipeline measures what the built binary costs: from the audit webhook, through k8slink, to the OTLP exporter.
package pipeline

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const root = "../.."

// BenchmarkWebhookToOTLP posts the recorded audit log, all verbs in, and counts the CPU time of the process alone. GOGC is 100 by default, and
// 200 in the manifests.
func BenchmarkWebhookToOTLP(b *testing.B) {
	for _, compression := range []string{"none", "gzip"} {
		for _, batch := range []int{100, 400} {
			for _, gogc := range []int{100, 200} {
				b.Run(fmt.Sprintf("compression=%s/batch=%d/gogc=%d", compression, batch, gogc), func(b *testing.B) {
					benchmark(b, compression, batch, gogc)
				})
			}
		}
	}
}

func benchmark(b *testing.B, compression string, batchSize, gogc int) {
	sink := collector.SinkForTest(b)
	webhook := testbed.FreeAddress(b)
	process, err := collector.Start(b.Context(), collector.Options{
		Root: root, Config: filepath.Join("integration", "pipeline", "testdata", "pipeline.yaml"),
		Env: []string{"WEBHOOK=" + webhook, "SINK=" + sink.Address, "COMPRESSION=" + compression, fmt.Sprintf("GOGC=%d", gogc)},
	})
	require.NoError(b, err)
	bodies, events, size := batches(b, batchSize)
	url := "http://" + webhook + "/audit/bench"
	replay(b, url, bodies) // warms up
	sent := 0
	before, err := process.Usage()
	require.NoError(b, err)
	for b.Loop() {
		replay(b, url, bodies)
		sent += events
	}
	after, err := process.Usage()
	require.NoError(b, err)
	require.NoError(b, process.Stop()) // flushes the queue
	require.NotZero(b, sink.Spans())
	b.ReportMetric(float64(sent)/(after.CPU-before.CPU).Seconds(), "events/cpu-s")
	b.ReportMetric(float64(size)/float64(events), "B/event")
	b.ReportMetric(float64(after.Peak)/(1<<20), "peak-MiB")
	b.ReportMetric(float64(sink.Spans())/float64(sent+events), "spans/event")
	b.ReportMetric(0, "ns/op")
}

// replay posts every batch, two at a time, as an API server has several in flight.
func replay(b *testing.B, url string, bodies [][]byte) {
	var posters sync.WaitGroup
	queue := make(chan []byte)
	for range 2 {
		posters.Go(func() {
			for body := range queue {
				response, err := http.Post(url, "application/json", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
					b.Error(response.Status, err)
				}
			}
		})
	}
	for _, body := range bodies {
		queue <- body
	}
	close(queue)
	posters.Wait()
}

// batches makes EventLists of the recorded audit log.
func batches(b *testing.B, batchSize int) (bodies [][]byte, events, size int) {
	file, err := os.Open(filepath.Join(root, "integration", "testdata", "recording", "audit.json.gz"))
	require.NoError(b, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(b, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 16<<20)
	var batch [][]byte
	flush := func() {
		if len(batch) > 0 {
			body := append([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`), bytes.Join(batch, []byte(","))...)
			bodies = append(bodies, append(body, "]}"...))
			size += len(body)
			batch = nil
		}
	}
	for lines.Scan() {
		events++
		if batch = append(batch, bytes.Clone(lines.Bytes())); len(batch) == batchSize {
			flush()
		}
	}
	require.NoError(b, lines.Err())
	flush()
	return bodies, events, size
}
