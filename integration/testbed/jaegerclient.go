// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ErrNoTrace is returned for a trace that Jaeger does not have.
var ErrNoTrace = errors.New("no such trace")

// JaegerClient asks the HTTP API on which Jaeger's own page is built.
type JaegerClient struct {
	URL string
}

// TraceQuery selects traces. Service is required by most of Jaeger's storages.
type TraceQuery struct {
	Service, Operation string
	// Tags that one span of the trace must all have.
	Tags map[string]string
	// Start and End limit when a span of the trace starts; a day back and an hour ahead of now if zero.
	Start, End time.Time
	// Limit is how many traces are returned at most; 1000 if zero.
	Limit int
}

// FindTraces returns the traces that match, in no particular order.
func (c JaegerClient) FindTraces(ctx context.Context, q TraceQuery) ([]Trace, error) {
	now := time.Now()
	if q.Start.IsZero() {
		q.Start = now.Add(-24 * time.Hour)
	}
	if q.End.IsZero() {
		q.End = now.Add(time.Hour)
	}
	if q.Limit == 0 {
		q.Limit = 1000
	}
	params := url.Values{
		"service": {q.Service},
		"start":   {strconv.FormatInt(q.Start.UnixMicro(), 10)},
		"end":     {strconv.FormatInt(q.End.UnixMicro(), 10)},
		"limit":   {strconv.Itoa(q.Limit)},
	}
	if q.Operation != "" {
		params.Set("operation", q.Operation)
	}
	if len(q.Tags) > 0 {
		tags, err := json.Marshal(q.Tags)
		if err != nil {
			return nil, err
		}
		params.Set("tags", string(tags))
	}
	return getData[[]Trace](ctx, c.URL+"/api/traces?"+params.Encode())
}

// Trace returns one trace by the hex digits of its ID, or ErrNoTrace.
func (c JaegerClient) Trace(ctx context.Context, id string) (Trace, error) {
	traces, err := getData[[]Trace](ctx, c.URL+"/api/traces/"+url.PathEscape(id))
	if err != nil {
		return Trace{}, err
	}
	if len(traces) != 1 {
		return Trace{}, fmt.Errorf("trace %s: Jaeger returned %d traces", id, len(traces))
	}
	return traces[0], nil
}

// Services returns the names of all services that have sent spans.
func (c JaegerClient) Services(ctx context.Context) ([]string, error) {
	return getData[[]string](ctx, c.URL+"/api/services")
}

// Operations returns the names of a service's spans.
func (c JaegerClient) Operations(ctx context.Context, service string) ([]string, error) {
	return getData[[]string](ctx, c.URL+"/api/services/"+url.PathEscape(service)+"/operations")
}

// getData asks for a document and returns its member data.
func getData[T any](ctx context.Context, address string) (T, error) {
	var envelope struct {
		Data   T `json:"data"`
		Errors []struct {
			Msg string `json:"msg"`
		} `json:"errors"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return envelope.Data, fmt.Errorf("ask Jaeger: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return envelope.Data, fmt.Errorf("ask Jaeger: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return envelope.Data, fmt.Errorf("ask Jaeger: %w", err)
	}
	if resp.StatusCode == http.StatusNotFound {
		return envelope.Data, fmt.Errorf("%s: %w", address, ErrNoTrace)
	}
	if resp.StatusCode != http.StatusOK {
		return envelope.Data, fmt.Errorf("ask Jaeger: %s answers %s: %.300s", address, resp.Status, body)
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return envelope.Data, fmt.Errorf("ask Jaeger: %s: %w", address, err)
	}
	if len(envelope.Errors) > 0 {
		return envelope.Data, fmt.Errorf("ask Jaeger: %s: %s", address, envelope.Errors[0].Msg)
	}
	return envelope.Data, nil
}
