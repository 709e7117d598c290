// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package testbed_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

func TestJaegerReturnsTheTraceItWasSent(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{Dir: t.TempDir()})
	start := time.Now().Truncate(time.Microsecond)
	data, err := ptraceotlp.NewExportRequestFromTraces(twoSpans(start)).MarshalProto()
	must(t, err)
	resp, err := http.Post(jaeger.OTLPHTTP+"/v1/traces", "application/x-protobuf", bytes.NewReader(data))
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("Jaeger answers %s", resp.Status)
	}

	const id = "000102030405060708090a0b0c0d0e0f"
	trace, err := jaeger.Query.Trace(t.Context(), id)
	must(t, err)
	roots := trace.Roots()
	if trace.ID != id || len(trace.Spans) != 2 || len(roots) != 1 {
		t.Fatalf("got %s", trace)
	}
	root, children := roots[0], trace.Children(roots[0])
	if root.Operation != "deployments/demo" || root.Service != "prod" || !root.Start.Equal(start) || root.Duration != time.Minute {
		t.Errorf("root is %+v", root)
	}
	if len(children) != 1 || children[0].Tags["http.response.status_code"] != int64(201) || children[0].Logs[0].Fields["spec.replicas"] != "2 -> 4" {
		t.Errorf("children are %+v", children)
	}

	found, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{Service: "prod", Tags: map[string]string{"user.name": "alice"}})
	must(t, err)
	if len(found) != 1 || found[0].ID != id {
		t.Errorf("search found %v", found)
	}
	if none, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{Service: "prod", Tags: map[string]string{"user.name": "bob"}}); err != nil || len(none) > 0 {
		t.Errorf("search for another user found %v, %v", none, err)
	}
	if services, err := jaeger.Query.Services(t.Context()); err != nil || fmt.Sprint(services) != "[prod]" {
		t.Errorf("services are %v, %v", services, err)
	}
	if operations, err := jaeger.Query.Operations(t.Context(), "prod"); err != nil || len(operations) != 2 {
		t.Errorf("operations are %v, %v", operations, err)
	}
	if _, err := jaeger.Query.Trace(t.Context(), "ff"); !errors.Is(err, testbed.ErrNoTrace) {
		t.Errorf("error for another trace is %v", err)
	}
}

func twoSpans(start time.Time) ptrace.Traces {
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "prod")
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	id := pcommon.TraceID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

	object := spans.AppendEmpty()
	object.SetTraceID(id)
	object.SetSpanID(pcommon.SpanID{1})
	object.SetName("deployments/demo")
	object.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	object.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Minute)))

	audit := spans.AppendEmpty()
	audit.SetTraceID(id)
	audit.SetSpanID(pcommon.SpanID{2})
	audit.SetParentSpanID(object.SpanID())
	audit.SetName("alice create")
	audit.SetStartTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Second)))
	audit.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(2 * time.Second)))
	audit.Attributes().PutStr("user.name", "alice")
	audit.Attributes().PutInt("http.response.status_code", 201)
	diff := audit.Events().AppendEmpty()
	diff.SetName("diff")
	diff.Attributes().PutStr("spec.replicas", "2 -> 4")
	return traces
}
