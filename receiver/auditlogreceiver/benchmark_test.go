// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
)

// recording returns the lines of the audit log recorded from a real control plane.
func recording(tb testing.TB) [][]byte {
	tb.Helper()
	file, err := os.Open(filepath.Join("..", "..", "integration", "testdata", "recording", "audit.json.gz"))
	require.NoError(tb, err)
	defer func() { require.NoError(tb, file.Close()) }()
	reader, err := gzip.NewReader(file)
	require.NoError(tb, err)
	var lines [][]byte
	scanner := bufio.NewScanner(reader)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		lines = append(lines, bytes.Clone(scanner.Bytes()))
	}
	require.NoError(tb, scanner.Err())
	return lines
}

// batches makes EventLists of 400 events, as API servers do by default.
func batches(lines [][]byte) (bodies [][]byte, events int) {
	for len(lines) > 0 {
		n := min(400, len(lines))
		body := []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`)
		body = append(body, bytes.Join(lines[:n], []byte(","))...)
		bodies = append(bodies, append(body, "]}"...))
		events += n
		lines = lines[n:]
	}
	return bodies, events
}

// cpuTime is what the process has used so far, user and system.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure takes the recorded audit log.
func measure(b *testing.B, take func(body []byte)) {
	b.Helper()
	measureLines(b, recording(b), take)
}

// measureLines runs batches until the benchmark is satisfied and reports events per second of CPU time.
func measureLines(b *testing.B, lines [][]byte, take func(body []byte)) {
	b.Helper()
	bodies, events := batches(lines)
	size := 0
	for _, body := range bodies {
		size += len(body)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	start := cpuTime(b)
	for b.Loop() {
		for _, body := range bodies {
			take(body)
		}
	}
	used := (cpuTime(b) - start).Seconds()
	b.ReportMetric(float64(events*b.N)/used, "events/cpu-s")
	b.ReportMetric(float64(size)/float64(events), "B/event")
}

// BenchmarkIngest is the path from the body of a request to pdata, all verbs in, writes traced.
func BenchmarkIngest(b *testing.B) {
	for _, bm := range []struct {
		name   string
		traces consumer.Traces
		logs   consumer.Logs
		change func(*Config)
	}{
		{"traces", consumertest.NewNop(), nil, nil},
		{"traces-without-snapshots", consumertest.NewNop(), nil, func(c *Config) { c.Snapshots.Enabled = false }},
		{"logs", nil, consumertest.NewNop(), nil},
	} {
		b.Run(bm.name, func(b *testing.B) {
			in := testIngester(b, bm.traces, bm.logs, bm.change)
			measure(b, func(body []byte) {
				if err := in.eventList(context.Background(), "prod", body); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkMix is the path from the body of a request to spans at a level of audit, with the verbs as recorded, or a part of them.
func BenchmarkMix(b *testing.B) {
	reads := map[string]bool{"get": true, "list": true, "watch": true}
	for _, level := range []string{"RequestResponse", "Metadata"} {
		for _, verbs := range []string{"recorded", "writes", "reads"} {
			b.Run("level="+level+"/verbs="+verbs, func(b *testing.B) {
				var lines [][]byte
				for _, line := range recording(b) {
					var event map[string]json.RawMessage
					var verb string
					require.NoError(b, json.Unmarshal(line, &event))
					require.NoError(b, json.Unmarshal(event["verb"], &verb))
					if verbs == "writes" && reads[verb] || verbs == "reads" && !reads[verb] {
						continue
					}
					if level == "Metadata" {
						delete(event, "requestObject")
						delete(event, "responseObject")
						event["level"] = json.RawMessage(`"Metadata"`)
						var err error
						line, err = json.Marshal(event)
						require.NoError(b, err)
					}
					lines = append(lines, line)
				}
				in := testIngester(b, consumertest.NewNop(), nil, nil)
				measureLines(b, lines, func(body []byte) {
					if err := in.eventList(context.Background(), "prod", body); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// BenchmarkWebhook adds HTTP on both sides: the figure includes what the client costs.
func BenchmarkWebhook(b *testing.B) {
	config := createDefaultConfig().(*Config)
	config.Webhook.GetOrInsertDefault().NetAddr.Endpoint = "127.0.0.1:0"
	r, err := NewFactory().CreateTraces(b.Context(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
	require.NoError(b, err)
	require.NoError(b, r.Start(b.Context(), componenttest.NewNopHost()))
	url := "http://" + r.(*auditlogReceiver).webhook.address.String() + "/audit/prod"
	measure(b, func(body []byte) {
		response, err := http.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
		if err := response.Body.Close(); err != nil {
			b.Fatal(err)
		}
	})
	http.DefaultClient.CloseIdleConnections()
	require.NoError(b, r.Shutdown(context.Background()))
}
