// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

const answer = `{
  "traceID": "01",
  "warnings": null,
  "processes": {"p1": {"serviceName": "prod", "tags": [{"key": "k8s.object.name", "type": "string", "value": "demo"}]}},
  "spans": [
    {"traceID": "01", "spanID": "b", "operationName": "replicasets/demo-1", "processID": "p1", "startTime": 2000000, "duration": 5,
     "references": [{"refType": "CHILD_OF", "traceID": "01", "spanID": "a"}, {"refType": "FOLLOWS_FROM", "traceID": "02", "spanID": "c"}],
     "tags": [{"key": "code", "type": "int64", "value": 9007199254740993}, {"key": "ratio", "type": "float64", "value": 0.5}, {"key": "ok", "type": "bool", "value": true}],
     "logs": [{"timestamp": 2000001, "fields": [{"key": "event", "type": "string", "value": "diff"}]}],
     "warnings": ["clock"]},
    {"traceID": "01", "spanID": "a", "operationName": "deployments/demo", "processID": "p1", "startTime": 1000000, "duration": 10, "references": [], "tags": [], "logs": []}
  ]
}`

func TestTraceIsReadFromTheAPIsForm(t *testing.T) {
	var trace Trace
	if err := json.Unmarshal([]byte(answer), &trace); err != nil {
		t.Fatal(err)
	}
	child, ok := trace.Span("b")
	if !ok {
		t.Fatal("no span b")
	}
	want := Span{
		TraceID: "01", ID: "b", ParentID: "a", Operation: "replicasets/demo-1", Service: "prod",
		Start: time.Unix(2, 0), Duration: 5 * time.Microsecond,
		Tags:     map[string]any{"code": int64(9007199254740993), "ratio": 0.5, "ok": true},
		Process:  map[string]any{"k8s.object.name": "demo"},
		Logs:     []Log{{Time: time.UnixMicro(2000001), Fields: map[string]any{"event": "diff"}}},
		Links:    []Reference{{TraceID: "02", SpanID: "c"}},
		Warnings: []string{"clock"},
	}
	if !reflect.DeepEqual(child, want) {
		t.Errorf("span is\n%+v, want\n%+v", child, want)
	}
	roots := trace.Roots()
	if len(roots) != 1 || roots[0].ID != "a" {
		t.Fatalf("roots are %+v", roots)
	}
	if children := trace.Children(roots[0]); len(children) != 1 || children[0].ID != "b" {
		t.Errorf("children are %+v", children)
	}
	if drawn := trace.String(); !strings.Contains(drawn, "\n  deployments/demo") || !strings.Contains(drawn, "\n    replicasets/demo-1") {
		t.Errorf("drawn as\n%s", drawn)
	}
}
