// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// serve answers as the function says, and returns a tracer that asks it for the traces of an audit ID.
func serve(t *testing.T, answer http.HandlerFunc) *Tracer {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	address, err := ParseURL(server.URL + "/api/v3/traces?query.start_time_min={start_time}&query.start_time_max={end_time}&query.attributes=%7B%22audit-id%22:%22{k8s.audit.id}%22%7D")
	require.NoError(t, err)
	return &Tracer{
		Name: "apiserver", Source: &Endpoint{Client: server.Client(), URL: address, MaxBytes: 1 << 20},
		Limits: Limits{Queries: 10, Traces: 2, Spans: 100, Concurrency: 2, Timeout: time.Minute},
	}
}

// asJSON is what a storage has of an audit ID, as OTLP's JSON.
func asJSON(t *testing.T, store *storagetest.Store, attributes string) string {
	for _, id := range store.TraceIDs() {
		for td, err := range store.GetTraces(context.Background(), []jaegerstorage.TraceParams{{TraceID: id}}) {
			require.NoError(t, err)
			want, _ := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().Get("audit-id")
			if attributes == `{"audit-id":"`+want.Str()+`"}` {
				text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
				require.NoError(t, err)
				return string(text)
			}
		}
	}
	return ""
}

// TestAnEndpointIsAskedForEachEntry, in any of the forms that servers answer in.
func TestAnEndpointIsAskedForEachEntry(t *testing.T) {
	for name, wrap := range map[string]func(string) string{
		"alone":    func(s string) string { return s },
		"Jaeger":   func(s string) string { return `{"result":` + s + `}` },
		"a stream": func(s string) string { return `{"result":{}}` + "\n" + `{"result":` + s + `}` },
		"Tempo":    func(s string) string { return `{"trace":` + s + `,"metrics":{}}` },
	} {
		t.Run(name, func(t *testing.T) {
			graph, store := requests(t, 2)
			tr := serve(t, func(w http.ResponseWriter, r *http.Request) {
				from, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("query.start_time_min"))
				assert.NoError(t, err)
				to, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("query.start_time_max"))
				assert.NoError(t, err)
				assert.True(t, from.Before(at.Add(time.Second)) && to.After(at), "%s to %s", from, to)
				_, _ = io.WriteString(w, wrap(asJSON(t, store, r.URL.Query().Get("query.attributes"))))
			})
			assert.Zero(t, extend(t, tr, graph))
			assert.Equal(t, map[string]string{"request 0": "PATCH > etcd", "request 1": "PATCH > etcd"}, below(t, graph))
			assert.Empty(t, graph.Warnings())
		})
	}
}

func TestWhatIsWrongWithAnEndpointIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		text   string
	}{
		"it fails":       {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "out of order", http.StatusBadGateway) }, "502 Bad Gateway: out of order"},
		"it has none":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusNotFound) }, ""},
		"no JSON":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "the answer is no JSON"},
		"another JSON":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"resourceSpans":7}`) }, "not in OTLP's JSON"},
		"a list":         {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[]`) }, "the answer is not an object"},
		"it says a lot":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat(" ", 1<<20+1)) }, "more than 1048576 bytes"},
		"it is cut":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"result":{"resourceSp`) }, "the answer is no JSON"},
		"nobody answers": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			graph, _ := requests(t, 1)
			extend(t, serve(t, test.answer), graph)
			assert.Empty(t, below(t, graph))
			warnings := strings.Join(graph.Warnings(), "\n")
			if test.text == "" {
				assert.Empty(t, warnings)
				return
			}
			assert.Contains(t, warnings, "spans of apiserver are missing for 1 entries: ")
			assert.Contains(t, warnings, test.text)
		})
	}
}

// TestASlowEndpoint is not waited for longer than the limit says, nor asked by more at a time.
func TestASlowEndpoint(t *testing.T) {
	graph, _ := requests(t, 6)
	var now, most atomic.Int64
	tr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		<-r.Context().Done()
	})
	tr.Limits.Timeout = 100 * time.Millisecond
	assert.Equal(t, 6, extend(t, tr, graph))
	assert.Contains(t, strings.Join(graph.Warnings(), "\n"), "spans of apiserver are missing for 6 entries: it took too long")
	assert.LessOrEqual(t, most.Load(), int64(2))
}

func TestURLs(t *testing.T) {
	for text, want := range map[string]string{
		"http://jaeger/{k8s.audit.id}":               "",
		"https://tempo/api/v2/traces/{trace}?x=%7B":  "",
		"http://jaeger/":                             "names no attribute",
		"http://jaeger/?from={start_time}":           "names no attribute",
		"jaeger/{k8s.audit.id}":                      "must be an address",
		"ftp://jaeger/{k8s.audit.id}":                "must be an address",
		"{scheme}://jaeger/":                         "must be an address",
		"http://{host}/traces":                       "names an attribute in the host",
		"http://jaeger{suffix}/traces":               "names an attribute in the host",
		"http://jaeger/{open":                        "must have the name",
		"http://user:{k8s.audit.id}@jaeger/{a.name}": "names an attribute in the host",
	} {
		_, err := ParseURL(text)
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, want, text)
	}
}

// TestValuesCannotLeaveTheirPlace: what an object is called is no part of an address.
func TestValuesCannotLeaveTheirPlace(t *testing.T) {
	address, err := ParseURL("http://jaeger/traces?a={k8s.audit.id}")
	require.NoError(t, err)
	asked := ""
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = r.URL.String()
		return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: r}, nil
	})}
	graph, _ := requests(t, 1)
	object, _ := graph.Object(hello.ID())
	entry := object.Lives[0].Entries[0]
	for _, entry = range object.Lives[0].Entries {
		if _, ok := entry.Span.Attributes().Get("k8s.audit.id"); ok {
			break
		}
	}
	entry.Span.Attributes().PutStr("k8s.audit.id", "x&b=../ #é")
	query, ok := (&Endpoint{Client: client, URL: address, MaxBytes: 1}).For(entry, 1)
	require.True(t, ok)
	for _, err := range query(t.Context()) {
		require.NoError(t, err)
	}
	assert.Equal(t, "http://jaeger/traces?a=x%26b%3D..%2F+%23%C3%A9", asked)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzAnswers: whatever a server answers, and whatever an address is, is spans or an error.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"result":{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01","name":"x"}]}]}]}}{"trace":{}}`), "http://jaeger/{a}?b={start_time}")
	f.Add([]byte(`{"result":{"resourceSpans":[null]}} [`), "http://[::1/{a}%")
	f.Fuzz(func(t *testing.T, body []byte, address string) {
		all, err := readTraces(body)
		if err != nil {
			require.Empty(t, all)
		}
		for _, td := range all {
			require.Positive(t, td.SpanCount())
		}
		_, _ = ParseURL(address)
	})
}
