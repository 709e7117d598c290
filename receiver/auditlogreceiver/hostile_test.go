// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// TestAHostileEventMakesASmallSpan: whatever is long or many in an event that is just small enough to be kept whole, its span takes little more
// than a snapshot does, and all text in it is valid.
func TestAHostileEventMakesASmallSpan(t *testing.T) {
	long := strings.Repeat("\x1b[2J\u0000\u202e", 2000)
	many, names := map[string]string{}, []string{}
	for i := range 4000 {
		many[fmt.Sprintf("example.com/%d", i)] = strings.Repeat("x", 20)
		names = append(names, fmt.Sprintf("group-%d-%s", i, strings.Repeat("x", 20)))
	}
	for name, fields := range map[string]map[string]any{
		"long texts": {
			"verb": "patch" + long, "requestURI": "/" + long + "?" + long, "userAgent": long, "user": map[string]any{"username": long, "uid": long},
			"objectRef":      map[string]any{"resource": "pods", "namespace": "d", "name": "p", "subresource": long, "apiVersion": "v1"},
			"responseStatus": map[string]any{"code": 500, "reason": long, "message": long},
		},
		"a long name":      {"objectRef": map[string]any{"resource": long, "namespace": long, "name": long, "apiVersion": long, "apiGroup": long, "uid": long}},
		"many labels":      {"responseObject": map[string]any{"kind": "Pod", "apiVersion": "v1", "metadata": map[string]any{"name": "p", "labels": many}}},
		"many groups":      {"user": map[string]any{"username": "alice", "groups": names}},
		"many extras":      {"user": map[string]any{"username": "alice", "extra": map[string]any{"a": names}}},
		"many annotations": {"annotations": many},
		"many addresses":   {"sourceIPs": names},
	} {
		t.Run(name, func(t *testing.T) {
			event := map[string]any{
				"level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete", "verb": "create", "requestURI": "/api/v1/namespaces/d/pods",
				"user":           map[string]any{"username": "alice"},
				"objectRef":      map[string]any{"resource": "pods", "namespace": "d", "name": "p", "apiVersion": "v1"},
				"responseStatus": map[string]any{"code": 201}, "requestReceivedTimestamp": "2026-01-02T03:04:05.000000Z", "stageTimestamp": "2026-01-02T03:04:05.100000Z",
			}
			for key, value := range fields {
				event[key] = value
			}
			if _, ok := fields["verb"]; ok {
				event["verb"] = "patch"
			}
			text, err := json.Marshal(event)
			require.NoError(t, err)
			sink := new(consumertest.TracesSink)
			in := testIngester(t, sink, nil, nil)
			require.NoError(t, in.eventList(t.Context(), "prod", []byte(list(string(text)))))
			require.Equal(t, 1, sink.SpanCount())
			traces := sink.AllTraces()[0]
			size := (&ptrace.ProtoMarshaler{}).TracesSize(traces)
			t.Logf("%d bytes of event, %d bytes of span", len(text), size)
			assert.LessOrEqual(t, size, 40_000)
			requireValid(t, traces.ResourceSpans().At(0).Resource().Attributes())
			requireValid(t, spansOf(traces)[0].Attributes())
		})
	}
}

func requireValid(t *testing.T, attrs pcommon.Map) {
	t.Helper()
	for key, value := range attrs.All() {
		require.True(t, utf8.ValidString(key))
		require.True(t, utf8.ValidString(value.AsString()), key)
	}
}
