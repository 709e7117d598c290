// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

const (
	spansFile = "spans.json.gz"
	sources   = "integration/record/sources.yaml"
	// quiet is how long nothing must come to call a recording whole: Events are told some time after what they tell of.
	quiet = 3 * time.Second
	// batch is how many spans are in one line.
	batch = 100
)

// watchOn starts bin/kelemetry, which writes the spans of Events and of the watch to a file, and returns when it has seen all that
// there is: what is created before, and changed before it is listed, would be told as created with that change.
func watchOn(ctx context.Context, root, spans string, c *testbed.Cluster) (*collector.Collector, error) {
	return collector.Start(ctx, collector.Options{
		Root: root, Config: sources, Env: []string{"KUBECONFIG=" + c.Users[observer].Kubeconfig, "RECORD_SPANS=" + spans},
		Ready: collector.Watching,
	})
}

// awaitQuiet returns when the file has not grown for a while.
func awaitQuiet(ctx context.Context, path string) error {
	poll := time.NewTicker(quiet / 10)
	defer poll.Stop()
	size, since := int64(-1), time.Now()
	for time.Since(since) < quiet {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() != size {
			size, since = info.Size(), time.Now()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
	}
	return nil
}

// readSpans returns the spans of lines of OTLP JSON.
func readSpans(data []byte) (ptrace.Traces, error) {
	all := ptrace.NewTraces()
	for line := range bytes.Lines(data) {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err != nil {
			return all, fmt.Errorf("spans: %w", err)
		}
		td.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
	}
	return all, nil
}

// toLines writes the spans in order of time, a batch a line.
func toLines(all ptrace.Traces) ([][]byte, error) {
	type one struct {
		span  ptrace.Span
		scope ptrace.ScopeSpans
		of    ptrace.ResourceSpans
	}
	var spans []one
	for _, rs := range all.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				spans = append(spans, one{span, ss, rs})
			}
		}
	}
	slices.SortStableFunc(spans, func(a, b one) int { return compareTimes(a.span, b.span) })
	var lines [][]byte
	for some := range slices.Chunk(spans, batch) {
		td := ptrace.NewTraces()
		for _, s := range some {
			rs := td.ResourceSpans().AppendEmpty()
			s.of.Resource().CopyTo(rs.Resource())
			rs.SetSchemaUrl(s.of.SchemaUrl())
			ss := rs.ScopeSpans().AppendEmpty()
			s.scope.Scope().CopyTo(ss.Scope())
			ss.SetSchemaUrl(s.scope.SchemaUrl())
			s.span.CopyTo(ss.Spans().AppendEmpty())
		}
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// compareTimes puts what ended first first: the order in which one who looks on hears of it.
func compareTimes(a, b ptrace.Span) int {
	return a.EndTimestamp().AsTime().Compare(b.EndTimestamp().AsTime())
}

// recordSpans makes the recording of a file that bin/kelemetry wrote, and counts what is in it by type.
func recordSpans(path, host string) (lines [][]byte, counts map[string]int, err error) {
	data, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, nil, err
	}
	all, err := readSpans(data)
	if err != nil {
		return nil, nil, err
	}
	if all.SpanCount() == 0 {
		return nil, nil, errors.New("no Event and no change was seen")
	}
	if lines, err = toLines(all); err != nil {
		return nil, nil, err
	}
	for i, line := range lines {
		lines[i] = rename(line, host)
	}
	return lines, countTypes(all), nil
}

func countTypes(all ptrace.Traces) map[string]int {
	counts := make(map[string]int)
	for _, rs := range all.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				kind, _ := span.Attributes().Get(attr.SpanType)
				counts[kind.AsString()]++
			}
		}
	}
	return counts
}
