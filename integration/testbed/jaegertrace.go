// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Trace is a trace as Jaeger's API gives it.
type Trace struct {
	ID       string
	Spans    []Span
	Warnings []string
}

// Span is one span of a Trace. Values of tags and fields are string, bool, float64 or, for whole numbers, int64.
type Span struct {
	TraceID, ID string
	// ParentID is the span of the same trace that contains this one, or empty.
	ParentID  string
	Operation string
	Service   string
	Start     time.Time
	Duration  time.Duration
	Tags      map[string]any
	// Process are the attributes of the resource.
	Process map[string]any
	Logs    []Log
	// Links are all references but the parent.
	Links    []Reference
	Warnings []string
}

// End is when the span ended.
func (s Span) End() time.Time { return s.Start.Add(s.Duration) }

// Log is a span event.
type Log struct {
	Time   time.Time
	Fields map[string]any
}

// Reference points at a span of this or another trace.
type Reference struct {
	TraceID, SpanID string
}

// Span returns the span with the ID.
func (t Trace) Span(id string) (Span, bool) {
	i := slices.IndexFunc(t.Spans, func(s Span) bool { return s.ID == id })
	if i < 0 {
		return Span{}, false
	}
	return t.Spans[i], true
}

// Find returns the spans for which match holds, by start.
func (t Trace) Find(match func(Span) bool) []Span {
	var found []Span
	for _, s := range t.Spans {
		if match(s) {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b Span) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// Roots returns the spans whose parent is not in the trace, by start.
func (t Trace) Roots() []Span {
	return t.Find(func(s Span) bool {
		_, ok := t.Span(s.ParentID)
		return !ok
	})
}

// Children returns the spans whose parent is the given one, by start.
func (t Trace) Children(of Span) []Span {
	return t.Find(func(s Span) bool { return s.ParentID == of.ID })
}

// String draws the tree of the span's names, for the message of a failed test.
func (t Trace) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "trace %s, %d spans\n", t.ID, len(t.Spans))
	for _, s := range t.Roots() {
		t.draw(&b, s, 1)
	}
	return b.String()
}

func (t Trace) draw(b *strings.Builder, s Span, depth int) {
	fmt.Fprintf(b, "%s%s  [%s +%s]\n", strings.Repeat("  ", depth), s.Operation, s.Start.UTC().Format("15:04:05.000"), s.Duration)
	if depth > len(t.Spans) {
		return // spans that are each other's parents
	}
	for _, child := range t.Children(s) {
		t.draw(b, child, depth+1)
	}
}

// UnmarshalJSON reads the API's form, where processes are apart from the spans and parents are references.
func (t *Trace) UnmarshalJSON(data []byte) error {
	var wire struct {
		TraceID   string   `json:"traceID"`
		Spans     []span   `json:"spans"`
		Warnings  []string `json:"warnings"`
		Processes map[string]struct {
			ServiceName string    `json:"serviceName"`
			Tags        keyValues `json:"tags"`
		} `json:"processes"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*t = Trace{ID: wire.TraceID, Warnings: wire.Warnings}
	for _, ws := range wire.Spans {
		s := ws.span()
		process := wire.Processes[ws.ProcessID]
		s.Service, s.Process = process.ServiceName, process.Tags
		t.Spans = append(t.Spans, s)
	}
	return nil
}

type span struct {
	TraceID       string `json:"traceID"`
	SpanID        string `json:"spanID"`
	OperationName string `json:"operationName"`
	References    []struct {
		RefType string `json:"refType"`
		TraceID string `json:"traceID"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	StartTime int64     `json:"startTime"`
	Duration  int64     `json:"duration"`
	Tags      keyValues `json:"tags"`
	Logs      []struct {
		Timestamp int64     `json:"timestamp"`
		Fields    keyValues `json:"fields"`
	} `json:"logs"`
	ProcessID string   `json:"processID"`
	Warnings  []string `json:"warnings"`
}

func (w span) span() Span {
	s := Span{
		TraceID:   w.TraceID,
		ID:        w.SpanID,
		Operation: w.OperationName,
		Start:     time.UnixMicro(w.StartTime),
		Duration:  time.Duration(w.Duration) * time.Microsecond,
		Tags:      w.Tags,
		Warnings:  w.Warnings,
	}
	for _, ref := range w.References {
		if ref.RefType == "CHILD_OF" && ref.TraceID == w.TraceID && s.ParentID == "" {
			s.ParentID = ref.SpanID
			continue
		}
		s.Links = append(s.Links, Reference{TraceID: ref.TraceID, SpanID: ref.SpanID})
	}
	for _, l := range w.Logs {
		s.Logs = append(s.Logs, Log{Time: time.UnixMicro(l.Timestamp), Fields: l.Fields})
	}
	return s
}

// keyValues is a list of typed pairs in the API and a map here.
type keyValues map[string]any

func (kv *keyValues) UnmarshalJSON(data []byte) error {
	var wire []struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&wire); err != nil {
		return err
	}
	*kv = make(keyValues, len(wire))
	for _, pair := range wire {
		if number, ok := pair.Value.(json.Number); ok {
			pair.Value = plainNumber(number)
		}
		(*kv)[pair.Key] = pair.Value
	}
	return nil
}

func plainNumber(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}
