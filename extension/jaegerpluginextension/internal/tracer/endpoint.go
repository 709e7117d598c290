// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracer // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
)

// Endpoint is an HTTP server that answers GET with spans in OTLP's JSON, alone or as the member "result" or "trace" of one or
// more objects one behind the other: what Jaeger's API v3 and Tempo's API v2 do.
type Endpoint struct {
	Client *http.Client
	// URL is where the spans of an entry are. Besides attributes, it may name StartTime and EndTime.
	URL Template
	// MaxBytes bounds an answer.
	MaxBytes int64
}

// Names in an Endpoint's URL of when the spans of an entry are, in RFC 3339, give or take a few seconds.
const (
	StartTime = "start_time"
	EndTime   = "end_time"
)

// ParseURL reads an Endpoint's URL. It must be of HTTP, and name at least one attribute.
func ParseURL(text string) (Template, error) {
	t, err := ParseTemplate(text)
	if err != nil {
		return t, err
	}
	attributes := 0
	sample, _ := t.fill(func(name string) string {
		if name != StartTime && name != EndTime {
			attributes++
		}
		return "x"
	})
	if attributes == 0 {
		return t, fmt.Errorf("%q names no attribute: put one in braces, such as {k8s.audit.id}", text)
	}
	if u, err := url.Parse(sample); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return t, fmt.Errorf("%q must be an address that begins with http:// or https://", text)
	}
	if host, _ := t.fill(func(string) string { return "/" }); !sameHost(sample, host) {
		return t, fmt.Errorf("%q names an attribute in the host: put it into the path or behind the question mark", text)
	}
	return t, nil
}

func sameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && x.Host == y.Host
}

// For implements Source.
func (e *Endpoint) For(entry *model.Entry, _ int) (Query, bool) {
	address, ok := e.URL.fill(func(name string) string {
		var text string
		switch name {
		case StartTime:
			text = entry.Start.AsTime().Add(-margin).UTC().Format(time.RFC3339Nano)
		case EndTime:
			text = entry.End.AsTime().Add(margin).UTC().Format(time.RFC3339Nano)
		default:
			text = attribute(entry.Span.Attributes(), entry.Resource, name)
		}
		return url.QueryEscape(text)
	})
	if !ok {
		return nil, false
	}
	return func(ctx context.Context) iter.Seq2[ptrace.Traces, error] {
		return func(yield func(ptrace.Traces, error) bool) {
			all, err := e.get(ctx, address)
			if err != nil {
				yield(ptrace.Traces{}, err)
				return
			}
			for _, td := range all {
				if !yield(td, nil) {
					return
				}
			}
		}
	}, true
}

func (e *Endpoint) get(ctx context.Context, address string) ([]ptrace.Traces, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := e.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, e.MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case response.StatusCode == http.StatusNotFound: // how Jaeger says that there is none
		return nil, nil
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the answer is %s: %.200s", response.Status, bytes.TrimSpace(body))
	case int64(len(body)) > e.MaxBytes:
		return nil, fmt.Errorf("the answer has more than %d bytes", e.MaxBytes)
	}
	return readTraces(body)
}

// readTraces reads traces, one object behind the other.
func readTraces(body []byte) (all []ptrace.Traces, err error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		var wrapped struct{ Result, Trace json.RawMessage }
		var whole json.RawMessage
		if err := decoder.Decode(&whole); err != nil {
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			return nil, fmt.Errorf("the answer is no JSON: %w", err)
		}
		if err := json.Unmarshal(whole, &wrapped); err != nil {
			return nil, fmt.Errorf("the answer is not an object: %w", err)
		}
		for _, within := range []json.RawMessage{wrapped.Result, wrapped.Trace} {
			if len(within) > 0 {
				whole = within
			}
		}
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(whole)
		if err != nil {
			return nil, fmt.Errorf("the answer is not in OTLP's JSON: %w", err)
		}
		all = append(all, byTrace(td)...)
	}
}

// byTrace divides spans by their trace, since an answer may have several.
func byTrace(td ptrace.Traces) (all []ptrace.Traces) {
	traces := map[pcommon.TraceID]ptrace.Traces{}
	for _, resource := range td.ResourceSpans().All() {
		spans := map[pcommon.TraceID]ptrace.SpanSlice{}
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				to, ok := spans[span.TraceID()]
				if !ok {
					trace, known := traces[span.TraceID()]
					if !known {
						trace = ptrace.NewTraces()
						traces[span.TraceID()] = trace
						all = append(all, trace)
					}
					rs := trace.ResourceSpans().AppendEmpty()
					resource.Resource().CopyTo(rs.Resource())
					to = rs.ScopeSpans().AppendEmpty().Spans()
					spans[span.TraceID()] = to
				}
				span.MoveTo(to.AppendEmpty())
			}
		}
	}
	return all
}
