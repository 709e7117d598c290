// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// vectors is the JSON on docs/ids.md, which is the one place that has them.
type vectors struct {
	Objects []struct {
		Comment string
		Object  key
		ID      string
	}
	Windows []struct {
		Comment string
		Time    int64
		Seconds int64 `json:"window_seconds"`
		Start   int64
	}
	Traces []struct {
		Comment     string
		Root        key
		WindowStart int64  `json:"window_start"`
		TraceID     string `json:"trace_id"`
	}
	ObjectSpans []struct {
		Comment string
		TraceID string `json:"trace_id"`
		Object  key
		SpanID  string `json:"span_id"`
	} `json:"object_spans"`
	AuditSpans []struct {
		TraceID string `json:"trace_id"`
		AuditID string `json:"audit_id"`
		Form    AuditForm
		SpanID  string `json:"span_id"`
	} `json:"audit_spans"`
	EventSpans []struct {
		TraceID  string `json:"trace_id"`
		EventUID string `json:"event_uid"`
		Count    uint64
		SpanID   string `json:"span_id"`
	} `json:"event_spans"`
	WatchSpans []struct {
		TraceID         string `json:"trace_id"`
		ObjectUID       string `json:"object_uid"`
		ResourceVersion string `json:"resource_version"`
		Type            string
		SpanID          string `json:"span_id"`
	} `json:"watch_spans"`
	LinkSpans []struct {
		Comment string
		TraceID string `json:"trace_id"`
		Object  key
		Target  key
		Role    string
		Class   string
		SpanID  string `json:"span_id"`
	} `json:"link_spans"`
	FoldedSpans []struct {
		First  string
		SpanID string `json:"span_id"`
	} `json:"folded_spans"`
	Displays []struct {
		Comment      string
		Mode         string
		Start        int64
		QuarterHours int `json:"quarter_hours"`
		Object       key
		TraceID      string `json:"trace_id"`
	}
}

type key struct{ Cluster, Group, Resource, Namespace, Name string }

// block returns the fenced block of that language on docs/ids.md.
func block(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/ids.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(page), "```"+language+"\n")
	require.True(t, ok, "docs/ids.md has no block of %s", language)
	text, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	return text
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(block(t, "json")))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&v))
	return v
}

func traceID(t *testing.T, text string) (id pcommon.TraceID) {
	t.Helper()
	n, err := hex.Decode(id[:], []byte(text))
	require.NoError(t, err)
	require.Equal(t, len(id), n)
	return id
}

// TestVectors holds this package against the specification.
func TestVectors(t *testing.T) {
	v := readVectors(t)
	for _, n := range []int{
		len(v.Objects), len(v.Windows), len(v.Traces), len(v.ObjectSpans), len(v.AuditSpans), len(v.EventSpans),
		len(v.WatchSpans), len(v.LinkSpans), len(v.FoldedSpans), len(v.Displays),
	} {
		require.NotZero(t, n, "a kind of vector is missing")
	}
	for _, x := range v.Objects {
		assert.Equal(t, x.ID, ObjectID(Object(x.Object)).String(), x.Comment)
	}
	for _, x := range v.Windows {
		window := Window(time.Duration(x.Seconds) * time.Second)
		assert.Equal(t, x.Start, window.Start(time.Unix(x.Time, 0)).Unix(), x.Comment)
		assert.Equal(t, x.Start, window.Start(time.Unix(x.Time, 999_999_999)).Unix(), x.Comment)
	}
	for _, x := range v.Traces {
		assert.Equal(t, x.TraceID, TraceID(Object(x.Root), time.Unix(x.WindowStart, 0)).String(), x.Comment)
	}
	for _, x := range v.ObjectSpans {
		assert.Equal(t, x.SpanID, ObjectSpanID(traceID(t, x.TraceID), ObjectID(Object(x.Object))).String(), x.Comment)
	}
	for _, x := range v.AuditSpans {
		assert.Equal(t, x.SpanID, AuditSpanID(traceID(t, x.TraceID), x.AuditID, x.Form).String())
	}
	for _, x := range v.EventSpans {
		assert.Equal(t, x.SpanID, EventSpanID(traceID(t, x.TraceID), x.EventUID, x.Count).String())
	}
	for _, x := range v.WatchSpans {
		assert.Equal(t, x.SpanID, WatchSpanID(traceID(t, x.TraceID), x.ObjectUID, x.ResourceVersion, x.Type).String())
	}
	for _, x := range v.LinkSpans {
		id := LinkSpanID(traceID(t, x.TraceID), ObjectID(Object(x.Object)), ObjectID(Object(x.Target)), x.Role, x.Class)
		assert.Equal(t, x.SpanID, id.String(), x.Comment)
	}
	for _, x := range v.FoldedSpans {
		var first pcommon.SpanID
		_, err := hex.Decode(first[:], []byte(x.First))
		require.NoError(t, err)
		assert.Equal(t, x.SpanID, FoldedSpanID(first).String())
	}
}

func TestDisplayVectors(t *testing.T) {
	for _, x := range readVectors(t).Displays {
		mode, err := strconv.ParseUint(x.Mode, 16, 32)
		require.NoError(t, err)
		start := time.Unix(x.Start, 0)
		d, clipped := NewDisplay(uint32(mode), ObjectID(Object(x.Object)), start, start.Add(time.Duration(x.QuarterHours)*DisplayUnit))
		assert.False(t, clipped, x.Comment)
		assert.Equal(t, x.TraceID, d.TraceID().String(), x.Comment)
		again, ok := ParseDisplay(traceID(t, x.TraceID))
		assert.True(t, ok, x.Comment)
		assert.Equal(t, d, again, x.Comment)
	}
}

// TestSecondImplementation runs the Python of the page on the vectors of the page.
func TestSecondImplementation(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), python, "-", block(t, "json"))
	cmd.Stdin = strings.NewReader(block(t, "python") + pythonCheck)
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), out.String())
	assert.Equal(t, "done\n", out.String())
}

const pythonCheck = `
import json, sys
v = json.loads(sys.argv[1])
h = bytes.fromhex
for x in v["objects"]: assert object_id(x["object"]).hex() == x["id"], x
for x in v["windows"]: assert window_start(x["time"], x["window_seconds"]) == x["start"], x
for x in v["traces"]: assert trace_id(x["root"], x["window_start"]).hex() == x["trace_id"], x
for x in v["object_spans"]: assert object_span(h(x["trace_id"]), x["object"]).hex() == x["span_id"], x
for x in v["audit_spans"]: assert audit_span(h(x["trace_id"]), x["audit_id"], x["form"]).hex() == x["span_id"], x
for x in v["event_spans"]: assert event_span(h(x["trace_id"]), x["event_uid"], x["count"]).hex() == x["span_id"], x
for x in v["watch_spans"]:
    assert watch_span(h(x["trace_id"]), x["object_uid"], x["resource_version"], x["type"]).hex() == x["span_id"], x
for x in v["folded_spans"]:
    assert folded_span(h(x["first"])).hex() == x["span_id"], x
for x in v["link_spans"]:
    assert link_span(h(x["trace_id"]), x["object"], x["target"], x["role"], x["class"]).hex() == x["span_id"], x
for x in v["displays"]:
    assert display_id(int(x["mode"], 16), x["start"], x["quarter_hours"], x["object"]) == x["trace_id"], x
print("done")
`
