// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadatatest"
)

// hook is a running receiver with a webhook.
type hook struct {
	t    *testing.T
	url  string
	tel  *componenttest.Telemetry
	stop func()
}

// startHook starts a receiver whose configuration change may alter.
func startHook(t *testing.T, next consumer.Traces, change func(*Config)) *hook {
	t.Helper()
	config := createDefaultConfig().(*Config)
	webhook := config.Webhook.GetOrInsertDefault()
	webhook.NetAddr.Endpoint = "127.0.0.1:0"
	if change != nil {
		change(config)
	}
	tel := componenttest.NewTelemetry()
	set := metadatatest.NewSettings(tel)
	r, err := NewFactory().CreateTraces(t.Context(), set, config, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	h := &hook{t: t, tel: tel, url: "http://" + r.(*auditlogReceiver).webhook.address.String() + "/audit"}
	var once sync.Once
	h.stop = func() {
		once.Do(func() {
			require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
			require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context())))
			http.DefaultClient.CloseIdleConnections()
		})
	}
	t.Cleanup(h.stop)
	return h
}

func (h *hook) post(path, body string, headers ...string) (status int, answer string, header http.Header) {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+path, strings.NewReader(body))
	require.NoError(h.t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(h.t, err)
	defer func() { require.NoError(h.t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(h.t, err)
	return response.StatusCode, string(text), response.Header
}

// event is the JSON of a completed request to a Pod.
func event(auditID, verb string, more ...string) string {
	return fmt.Sprintf(`{"level":"Metadata","auditID":%q,"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/d/pods/p","verb":%q,`+
		`"user":{"username":"alice"},"objectRef":{"resource":"pods","namespace":"d","name":"p","apiVersion":"v1"},"responseStatus":{"code":200},`+
		`"requestReceivedTimestamp":"2026-01-02T03:04:05.000000Z","stageTimestamp":"2026-01-02T03:04:05.100000Z"%s}`,
		auditID, verb, strings.Join(append([]string{""}, more...), ","))
}

func list(events ...string) string {
	return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(events, ",") + `]}`
}

// auditIDs returns the audit IDs of all spans, in order.
func auditIDs(all []ptrace.Traces) []string {
	var ids []string
	for _, traces := range all {
		for _, span := range spansOf(traces) {
			id, _ := span.Attributes().Get(attr.AuditID)
			ids = append(ids, id.Str())
		}
	}
	return ids
}

func spansOf(traces ptrace.Traces) []ptrace.Span {
	var all []ptrace.Span
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				all = append(all, span)
			}
		}
	}
	return all
}

func TestWebhookAnswersByRule(t *testing.T) {
	good := list(event("a", "create"))
	for name, tt := range map[string]struct {
		path, body string
		headers    []string
		status     int
		answer     string
		spans      int
	}{
		"accepted":              {path: "/prod", body: good, status: 200, spans: 1},
		"no cluster":            {path: "", body: good, status: 400, answer: "Post to /audit/<cluster>"},
		"another path":          {path: "/prod/x", body: good, status: 404},
		"empty body":            {path: "/prod", body: "", status: 400, answer: "EventList"},
		"malformed JSON":        {path: "/prod", body: good[:len(good)-3], status: 400, answer: "EventList"},
		"not an EventList":      {path: "/prod", body: `{"kind":"PodList","apiVersion":"v1","items":[]}`, status: 400, answer: `got kind "PodList"`},
		"unknown apiVersion":    {path: "/prod", body: strings.Replace(good, "k8s.io/v1", "k8s.io/v2", 1), status: 400, answer: "audit.k8s.io/v2"},
		"one bad item of three": {path: "/prod", body: list(event("a", "create"), `{"auditID":7}`, event("b", "update")), status: 200, spans: 2},
		"reads are not traced":  {path: "/prod", body: list(event("a", "get"), event("b", "list")), status: 200},
		"gzip":                  {path: "/prod", body: gzipped(t, good), headers: []string{"Content-Encoding", "gzip"}, status: 200, spans: 1},
		"broken gzip":           {path: "/prod", body: gzipped(t, good)[:40], headers: []string{"Content-Encoding", "gzip"}, status: 400},
		"too large":             {path: "/prod", body: list(event("a", "create", `"x":"`+strings.Repeat("x", 1<<20)+`"`)), status: 413},
		"a zip bomb":            {path: "/prod", body: gzipped(t, strings.Repeat(" ", 64<<20)), headers: []string{"Content-Encoding", "gzip"}, status: 413},
		"an announced length":   {path: "/prod", body: strings.Repeat(" ", 1<<20+1), status: 413},
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.TracesSink)
			h := startHook(t, sink, func(c *Config) { c.Webhook.Get().MaxRequestBodySize = 1 << 20 })
			status, answer, _ := h.post(tt.path, tt.body, tt.headers...)
			assert.Equal(t, tt.status, status, answer)
			assert.Contains(t, answer, tt.answer)
			assert.Equal(t, tt.spans, sink.SpanCount())
		})
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestWebhookTakesPostOnly(t *testing.T) {
	h := startHook(t, consumertest.NewNop(), nil)
	response, err := http.Get(h.url + "/prod")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
}

func TestWebhookAcknowledgesOnlyWhatThePipelineAccepted(t *testing.T) {
	for name, tt := range map[string]struct {
		err        error
		status     int
		retryAfter string
	}{
		"accepted":  {nil, 200, ""},
		"transient": {errors.New("queue is full"), 503, "5"},
		"permanent": {consumererror.NewPermanent(errors.New("never")), 500, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := startHook(t, consumertest.NewErr(tt.err), nil)
			status, _, header := h.post("/prod", list(event("a", "create")))
			assert.Equal(t, tt.status, status)
			assert.Equal(t, tt.retryAfter, header.Get("Retry-After"))
		})
	}
}

// hanging is a pipeline that takes nothing before it is released, and does not heed its context.
type hanging struct {
	consumertest.TracesSink
	arrived, release chan struct{}
}

func (h *hanging) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	h.arrived <- struct{}{}
	<-h.release
	return h.TracesSink.ConsumeTraces(ctx, traces)
}

func TestWebhookShedsWhatAHangingPipelineHoldsUp(t *testing.T) {
	next := &hanging{arrived: make(chan struct{}, 8), release: make(chan struct{})}
	h := startHook(t, next, func(c *Config) {
		c.Webhook.Get().Timeout = time.Second
		c.Webhook.Get().MaxRequestBodySize = 1 << 20
		c.Webhook.Get().MaxInFlightBytes = 2 << 20
	})
	for range 2 {
		status, _, header := h.post("/prod", list(event("a", "create")))
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, "5", header.Get("Retry-After"))
	}
	// Both deliveries still hold their share; a third would need one more.
	status, _, header := h.post("/prod", list(event("b", "create")))
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.Equal(t, "1", header.Get("Retry-After"))
	assert.Len(t, next.arrived, 2)

	close(next.release)
	require.Eventually(t, func() bool {
		status, _, _ := h.post("/prod", list(event("c", "create")))
		return status == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)
	ids := auditIDs(next.AllTraces())
	assert.Subset(t, []string{"a", "c"}, ids)
	assert.NotContains(t, ids, "b")
}

func TestWebhookTimeoutReachesThePipeline(t *testing.T) {
	h := startHook(t, blockingUntilDone{}, func(c *Config) { c.Webhook.Get().Timeout = 500 * time.Millisecond })
	status, _, _ := h.post("/prod", list(event("a", "create")))
	assert.Equal(t, http.StatusServiceUnavailable, status)
}

// blockingUntilDone is a pipeline that is full until its caller gives up.
type blockingUntilDone struct{ consumertest.Consumer }

func (blockingUntilDone) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (blockingUntilDone) ConsumeTraces(ctx context.Context, _ ptrace.Traces) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestASlowClientIsCutOff(t *testing.T) {
	h := startHook(t, consumertest.NewNop(), func(c *Config) { c.Webhook.Get().Timeout = 100 * time.Millisecond })
	reader, writer := io.Pipe()
	defer func() { require.NoError(t, writer.Close()) }()
	go func() { _, _ = writer.Write([]byte(`{"kind":`)) }()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/prod", reader)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err == nil { // the connection may be gone before the answer is read
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	}
}

// flaky refuses the first deliveries.
type flaky struct {
	consumertest.TracesSink
	refusals int
}

func (f *flaky) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	if f.refusals > 0 {
		f.refusals--
		return errors.New("not now")
	}
	return f.TracesSink.ConsumeTraces(ctx, traces)
}

// Situations 1 and 4 of delivery: the sender repeats what was refused, and what it believes was; stages arrive apart.
func TestABatchSentAgainGivesTheSameSpans(t *testing.T) {
	next := &flaky{refusals: 2}
	h := startHook(t, next, nil)
	started := strings.Replace(event("a", "create"), "ResponseComplete", "ResponseStarted", 1)
	batch := list(started, event("a", "create"), event("b", "delete"))
	for _, want := range []int{503, 503, 200, 200} {
		status, _, _ := h.post("/prod", batch)
		require.Equal(t, want, status)
	}
	status, _, _ := h.post("/prod", list(event("b", "delete")))
	require.Equal(t, 200, status)

	all := next.AllTraces()
	require.Len(t, all, 3)
	require.Equal(t, []string{"a", "b", "a", "b", "b"}, auditIDs(all))
	first, second, third := spansOf(all[0]), spansOf(all[1]), spansOf(all[2])
	for i := range first {
		assert.Equal(t, first[i].TraceID(), second[i].TraceID())
		assert.Equal(t, first[i].SpanID(), second[i].SpanID())
		assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), first[i].StartTimestamp().AsTime())
		assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 1e8, time.UTC), first[i].EndTimestamp().AsTime())
	}
	assert.Equal(t, first[1].SpanID(), third[0].SpanID())
	assert.NotEqual(t, first[0].SpanID(), first[1].SpanID())
}

// Situation 16.
func TestClustersWithTheSameObjectsDoNotMix(t *testing.T) {
	sink := new(consumertest.TracesSink)
	h := startHook(t, sink, nil)
	for _, cluster := range []string{"/one", "/two"} {
		status, _, _ := h.post(cluster, list(event("a", "create")))
		require.Equal(t, 200, status)
	}
	all := sink.AllTraces()
	require.Len(t, all, 2)
	assert.NotEqual(t, spansOf(all[0])[0].TraceID(), spansOf(all[1])[0].TraceID())
	for i, want := range []string{"one", "two"} {
		cluster, _ := all[i].ResourceSpans().At(0).Resource().Attributes().Get(attr.ClusterName)
		assert.Equal(t, want, cluster.Str())
	}
}

// Situation 3.
func TestAnEventThatIsTooLargeLosesItsBodiesOnly(t *testing.T) {
	sink := new(consumertest.TracesSink)
	h := startHook(t, sink, nil)
	events := make([]string, 0, 400)
	for i := range 399 {
		events = append(events, event(fmt.Sprint("small-", i), "update"))
	}
	big := `"responseObject":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"d","uid":"u-1"},"spec":{"x":"` +
		strings.Repeat("y", 2<<20) + `"}}`
	events = append(events, event("big", "create", big))
	status, _, _ := h.post("/prod", list(events...))
	require.Equal(t, 200, status)
	assert.Equal(t, 400, sink.SpanCount())

	var found bool
	for _, span := range spansOf(sink.AllTraces()[0]) {
		if id, _ := span.Attributes().Get(attr.AuditID); id.Str() != "big" {
			continue
		}
		found = true
		omitted, ok := span.Attributes().Get(attr.AuditBodyOmitted)
		assert.True(t, ok && omitted.Bool())
		require.Equal(t, 1, span.Events().Len())
		snapshot := span.Events().At(0).Attributes()
		text, _ := snapshot.Get(attr.SnapshotObject)
		assert.JSONEq(t, `{"metadata":{"name":"p","namespace":"d","uid":"u-1"}}`, text.Str())
		truncated, _ := snapshot.Get(attr.SnapshotTruncated)
		assert.True(t, truncated.Bool())
	}
	assert.True(t, found)
}

func TestMetricsTellWhatBecameOfEachEvent(t *testing.T) {
	h := startHook(t, consumertest.NewNop(), nil)
	body := list(event("a", "create"), event("b", "get"), `{"auditID":7}`, event("c", "update"))
	h.post("/prod", body)
	h.post("/prod", "nonsense")

	metadatatest.AssertEqualReceiverAuditlogRequests(t, h.tel, requests(200, 400), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualReceiverAuditlogEventsReceived(t, h.tel, byTransport(4), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualReceiverAuditlogEventsDecoded(t, h.tel, byTransport(3), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualReceiverAuditlogEventsInvalid(t, h.tel, byTransport(1), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualReceiverAuditlogReceivedSize(t, h.tel, byTransport(int64(len(body))), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualReceiverAuditlogEventsFiltered(t, h.tel, filtered("verb", 1), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestRefusedEventsAreCounted(t *testing.T) {
	h := startHook(t, consumertest.NewErr(errors.New("no")), nil)
	h.post("/prod", list(event("a", "create"), event("b", "get")))
	metadatatest.AssertEqualReceiverAuditlogEventsRefused(t, h.tel, byTransport(2), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestStartReportsAPortThatIsTaken(t *testing.T) {
	h := startHook(t, consumertest.NewNop(), nil)
	config := createDefaultConfig().(*Config)
	config.Webhook.GetOrInsertDefault().NetAddr.Endpoint = strings.TrimSuffix(strings.TrimPrefix(h.url, "http://"), "/audit")
	r, err := NewFactory().CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "webhook: listening on 127.0.0.1:")
	require.NoError(t, r.Shutdown(t.Context()))
}

// FuzzWebhook checks that no body makes the receiver panic or answer anything but a stated status.
func FuzzWebhook(f *testing.F) {
	f.Add("prod", list(event("a", "create")))
	f.Add("", "{}")
	f.Add("a%00b", list(`{"auditID":"\ud800"}`, event("x", "deletecollection", `"responseObject":{"items":[{"metadata":{"name":"\u0000"}}]}`)))
	f.Fuzz(func(t *testing.T, cluster, body string) {
		in := testIngester(t, new(consumertest.TracesSink), new(consumertest.LogsSink), nil)
		err := in.eventList(t.Context(), cluster, []byte(body))
		if err != nil && !errors.Is(err, errMalformed) {
			t.Errorf("%q: %v", body, err)
		}
	})
}
