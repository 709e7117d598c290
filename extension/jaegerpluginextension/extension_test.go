// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// TestJaegerAsksOverGRPC, with an extension as the storage.
func TestJaegerAsksOverGRPC(t *testing.T) {
	w := storagetest.NewWorld(1)
	tel := componenttest.NewTelemetry()
	e, _ := start(t, testConfig(), &w.Store, tel)
	conn := dial(t, e.running.grpcAddr.String())
	client := jaegerstorage.NewClient(conn)

	services, err := client.Services(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "tracing", services[0])
	operations, err := client.Operations(t.Context(), "tracing", "")
	require.NoError(t, err)
	assert.Equal(t, []jaegerstorage.Operation{{Name: "prod", SpanKind: "internal"}, {Name: "stage", SpanKind: "internal"}}, operations)
	found := 0
	for td, err := range client.FindTraces(t.Context(), helloQuery(w)) {
		require.NoError(t, err)
		found += td.SpanCount()
	}
	assert.Equal(t, 1, found)
	for summaries, err := range client.FindTraceSummaries(t.Context(), helloQuery(w)) {
		require.NoError(t, err)
		assert.Len(t, summaries, 1)
	}
	dependencies, err := client.Dependencies(t.Context(), w.Start, time.Hour)
	require.NoError(t, err)
	assert.Empty(t, dependencies)

	for _, name := range append(jaegerstorage.ServiceNames(), "") {
		response, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: name})
		require.NoError(t, err)
		assert.Equal(t, grpc_health_v1.HealthCheckResponse_SERVING, response.GetStatus())
	}
	assert.Contains(t, reflected(t, conn), "jaeger.storage.v2.TraceReader")

	metrics := map[string]bool{}
	for _, name := range []string{"request_duration", "backend_duration", "backend_spans", "requests_in_flight", "requests_sending"} {
		got, err := tel.GetMetric("otelcol_extension_jaeger_plugin_" + name)
		if err != nil {
			got, err = tel.GetMetric("extension_jaeger_plugin_" + name)
		}
		require.NoError(t, err)
		metrics[got.Name] = true
	}
	assert.Len(t, metrics, 5)
	require.NoError(t, tel.Shutdown(t.Context()))
}

// TestAClientThatStopsReading loses its stream, and with it its place among those that are being sent to.
func TestAClientThatStopsReading(t *testing.T) {
	w := storagetest.NewWorld(50)
	for i, pod := range w.Pods { // together more than what a stream takes in advance
		w.Happen(w.Start.Add(time.Duration(i)*time.Second), pod, attr.SpanTypeEvent, "Big", map[string]any{attr.UserAgent: strings.Repeat("x", 20_000)})
	}
	tel := componenttest.NewTelemetry()
	config := testConfig()
	config.Limits.SendTimeout = 100 * time.Millisecond
	e, _ := start(t, config, &w.Store, tel)
	client := jaegerstorage.NewClient(dial(t, e.running.grpcAddr.String()))
	sending := func() int64 {
		got, err := tel.GetMetric("otelcol_extension_jaeger_plugin_requests_sending")
		require.NoError(t, err)
		return got.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
	}
	q := jaegerstorage.NewQuery()
	q.Service, q.Limit = "tracing", 100
	q.Attributes.PutStr("resource", "pods")
	q.StartMin, q.StartMax = w.Start.Add(-time.Hour), w.Start.Add(time.Hour)
	var failure error
	for _, failure = range client.FindTraces(t.Context(), q) {
		require.Eventually(t, func() bool { return sending() == 0 }, time.Minute, 10*time.Millisecond)
	}
	assert.Equal(t, codes.DeadlineExceeded, status.Code(failure), "%v", failure)
	require.NoError(t, tel.Shutdown(t.Context()))
}

func reflected(t *testing.T, conn *grpc.ClientConn) (services []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}))
	response, err := stream.Recv()
	require.NoError(t, err)
	for _, service := range response.GetListServicesResponse().GetService() {
		services = append(services, service.GetName())
	}
	return services
}

// TestSpansOfAnotherTracer are below the request that they are of, in a mode that says so.
func TestSpansOfAnotherTracer(t *testing.T) {
	w := storagetest.NewWorld(0)
	w.Happen(w.Start.Add(time.Second), w.Deployment, attr.SpanTypeAudit, "dave patch", map[string]any{attr.AuditID: "a-1"})
	var other storagetest.Store
	td := ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr(attr.ServiceName, "apiserver")
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(pcommon.SpanID{1})
	span.SetName("PATCH")
	span.Attributes().PutStr("audit-id", "a-1")
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(w.Start.Add(time.Second)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(w.Start.Add(time.Second)))
	other.Add(td)

	config := testConfig()
	var tracer TracerConfig
	require.NoError(t, tracer.Unmarshal(confmap.New()))
	tracer.Service, tracer.Tags = "apiserver", map[string]string{"audit-id": "{k8s.audit.id}"}
	tracer.GRPC.Endpoint, tracer.GRPC.TLS.Insecure = serveStore(t, &other), true
	var endpoint TracerConfig
	require.NoError(t, endpoint.Unmarshal(confmap.NewFromStringMap(map[string]any{"http": map[string]any{"endpoint": serveJSON(t, td) + "/{k8s.audit.id}"}})))
	config.Tracers = map[string]TracerConfig{"apiserver": tracer, "endpoint": endpoint}
	config.Modifiers["apiserver"] = mode.ModifierConfig{ID: "00000001", Tracers: []string{"apiserver"}}
	config.Modifiers["endpoint"] = mode.ModifierConfig{ID: "00000002", Tracers: []string{"endpoint"}}
	require.NoError(t, confmap.Validate(config))
	e, _ := start(t, config, &w.Store, nil)
	client := jaegerstorage.NewClient(dial(t, e.running.grpcAddr.String()))
	for service, want := range map[string]int{"tracing": 0, "tracing [apiserver]": 1, "tree [apiserver]": 1, "tracing [endpoint]": 1} {
		q := helloQuery(w)
		q.Service = service
		found := 0
		for td, err := range client.FindTraces(t.Context(), q) {
			require.NoError(t, err)
			for _, resource := range td.ResourceSpans().All() {
				for _, span := range resource.ScopeSpans().At(0).Spans().All() {
					if span.Name() == "PATCH" {
						found++
					}
				}
			}
		}
		assert.Equal(t, want, found, service)
	}
}

// serveJSON answers for the audit ID a-1 over HTTP, and returns the address.
func serveJSON(t *testing.T, td ptrace.Traces) string {
	t.Helper()
	body, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/a-1", r.URL.Path)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// serveStore serves a storage on a port of its own, and returns the address.
func serveStore(t *testing.T, store *storagetest.Store) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	jaegerstorage.Register(server, store, jaegerstorage.Capabilities{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
	})
	return listener.Addr().String()
}

// TestAStorageOverGRPC, which comes and goes: the status says so.
func TestAStorageOverGRPC(t *testing.T) {
	w := storagetest.NewWorld(1)
	var mu sync.Mutex
	var failure error
	w.Before = func(context.Context, string, string) error {
		mu.Lock()
		defer mu.Unlock()
		return failure
	}
	config := testConfig()
	config.Backend.Extension = nil
	config.Backend.GRPC.GetOrInsertDefault().Endpoint = serveStore(t, &w.Store)
	config.Backend.GRPC.Get().TLS.Insecure = true
	e, h := start(t, config, nil, nil)
	status := func(want string) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Contains(c, h.last(), want) }, time.Minute, time.Millisecond)
	}
	status("StatusOK")
	client := jaegerstorage.NewClient(dial(t, e.running.grpcAddr.String()))
	mu.Lock()
	failure = errors.New("the disk is full")
	mu.Unlock()
	_, err := client.Operations(t.Context(), "", "")
	require.ErrorContains(t, err, "the disk is full")
	status("StatusRecoverableError: the storage: ")
	mu.Lock()
	failure = nil
	mu.Unlock()
	status("StatusOK")
	found := 0
	for td, err := range client.FindTraces(t.Context(), helloQuery(w)) {
		require.NoError(t, err)
		found += td.SpanCount()
	}
	assert.Equal(t, 1, found)
}

func TestViewsOverHTTP(t *testing.T) {
	w := storagetest.NewWorld(1)
	e, _ := start(t, testConfig(), &w.Store, nil)
	at := url.QueryEscape(w.Start.Format(time.RFC3339))
	d, _ := identity.NewDisplay(0x21000000, w.Deployment.ID(), w.Start.Add(-30*time.Minute), w.Start.Add(30*time.Minute))
	id := d.TraceID().String()

	for _, by := range []string{"resource=deployments&group=apps", "resource=deployments", "kind=Deployment&group=apps", "kind=Deployment"} {
		for _, m := range []string{"21000000", "tracing+[full+tree]"} {
			code, header, _ := get(t, e, "/redirect?cluster=prod&namespace=default&name=hello&"+by+"&mode="+m+"&ts="+at, "")
			assert.Equal(t, http.StatusFound, code)
			assert.Equal(t, "http://localhost:16686/trace/"+id, header.Get("Location"))
		}
	}
	code, header, body := get(t, e, "/trace?cluster=prod&namespace=default&name=hello&resource=deployments&mode=21000000&ts="+at, "")
	require.Equal(t, http.StatusOK, code, body)
	assert.Equal(t, "application/json", header.Get("Content-Type"))
	assert.Equal(t, id, header.Get("Trace-Id"))
	view, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(body))
	require.NoError(t, err)
	assert.Equal(t, 3, view.SpanCount())

	for path, accept := range map[string]string{"/trace/" + id: "text/plain", "/trace?format=text&id=" + id: "*/*", "/trace/" + id + "?format=text&width=100": ""} {
		code, header, body = get(t, e, path, accept)
		require.Equal(t, http.StatusOK, code, body)
		assert.Equal(t, "text/plain; charset=utf-8", header.Get("Content-Type"))
		assert.Contains(t, body, "hello-1-0")
		assert.NotContains(t, body, "\x1b")
	}
	_, _, body = get(t, e, "/trace/"+id+"?format=text&color=true", "")
	assert.Contains(t, body, "\x1b")

	const object = "cluster=prod&resource=deployments&namespace=default&name=hello"
	for query, want := range map[string]struct {
		code int
		text string
	}{
		"name=hello&resource=deployments":           {http.StatusBadRequest, "cluster: say which one of prod, stage"},
		"cluster=prod&resource=deployments":         {http.StatusBadRequest, "name: say which object"},
		"cluster=prod&name=hello":                   {http.StatusBadRequest, "resource: say what the object is"},
		object + "&mode=none":                       {http.StatusBadRequest, `mode: there is no display mode "none", but`},
		object + "&mode=ffffffff":                   {http.StatusBadRequest, "mode: there is no display mode ffffffff"},
		object + "&ts=yesterday":                    {http.StatusBadRequest, "ts: must be a time such as"},
		object + "&ts=99999999999":                  {http.StatusBadRequest, "ts: is too far in the future"},
		object + "&ts=0":                            {http.StatusBadRequest, "begins in 2025 or later"},
		object + "&ts=1772626800&start=1772626800":  {http.StatusBadRequest, "ts: excludes start and end"},
		object + "&start=1772626800&end=1772626800": {http.StatusBadRequest, "end: must be after start"},
		object + "&range=soon":                      {http.StatusBadRequest, "range: must be a duration"},
		object + "&nam=x":                           {http.StatusBadRequest, `there is no parameter "nam"`},
		object + "&name=x":                          {http.StatusBadRequest, "the parameter name is given twice"},
		object + "&format=xml":                      {http.StatusBadRequest, "format: must be json or text"},
		object + "&format=text&color=red":           {http.StatusBadRequest, "color: must be true or false"},
		object + "&format=text&width=0":             {http.StatusBadRequest, "width: must be a number"},
		object + "&range=1h":                        {http.StatusNotFound, "nothing is known of the object in this time range"},
		"id=x":                                      {http.StatusBadRequest, "id: must be 32 hex digits"},
		"id=" + strings.Repeat("0", 32):             {http.StatusBadRequest, "id: is not of a view"},
		"id=ffffffffff" + id[10:]:                   {http.StatusBadRequest, "id: there is no display mode"},
	} {
		code, _, body := get(t, e, "/trace?"+query, "")
		assert.Equal(t, want.code, code, query)
		assert.Contains(t, body, want.text)
	}
	for _, ts := range []string{"1772626800", "1772626800000", "1772626800000000", "1772626800000000000"} {
		_, header, _ := get(t, e, "/redirect?"+object+"&mode=21000000&ts="+ts, "")
		assert.Equal(t, "http://localhost:16686/trace/"+id, header.Get("Location"))
	}
	w.Before = func(context.Context, string, string) error { return errors.New("connection refused") }
	code, _, body = get(t, e, "/trace/"+id, "")
	assert.Equal(t, http.StatusBadGateway, code)
	assert.Contains(t, body, "connection refused")
}

func TestWhatCannotStart(t *testing.T) {
	set := extensiontest.NewNopSettings(typ)
	h := &host{extensions: map[component.ID]component.Component{component.MustNewID("other"): &struct {
		component.StartFunc
		component.ShutdownFunc
	}{}}}
	other := component.MustNewID("other")
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for want, change := range map[string]func(*Config){
		`there is no extension "trace_store"`: func(*Config) {},
		`"other" has no traces`:               func(c *Config) { c.Backend.Extension = &other },
		"grpc: listening on": func(c *Config) {
			c.Backend.Extension = nil
			c.Backend.GRPC.GetOrInsertDefault().Endpoint = "127.0.0.1:1"
			c.GRPC.NetAddr.Endpoint = taken.Addr().String()
		},
		"http: listening on": func(c *Config) {
			c.Backend.Extension = nil
			c.Backend.GRPC.GetOrInsertDefault().Endpoint = "127.0.0.1:1"
			c.HTTP.Get().NetAddr.Endpoint = taken.Addr().String()
		},
	} {
		config := testConfig()
		change(config)
		e := newExtension(config, set)
		require.ErrorContains(t, e.Start(t.Context(), h), want)
		require.NoError(t, e.Shutdown(t.Context()))
	}
	w := storagetest.NewWorld(0)
	e, running := start(t, testConfig(), &w.Store, nil)
	require.ErrorContains(t, e.Start(t.Context(), running), "started twice")
	assert.Equal(t, []component.ID{storeID}, e.Dependencies())
}

// TestShutdownDoesNotWaitForever for requests that hang.
func TestShutdownDoesNotWaitForever(t *testing.T) {
	w := storagetest.NewWorld(0)
	asked := make(chan struct{})
	w.Before = func(ctx context.Context, call, _ string) error {
		if call == "find" {
			close(asked)
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	e, _ := start(t, testConfig(), &w.Store, nil)
	client := jaegerstorage.NewClient(dial(t, e.running.grpcAddr.String()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, err := range client.FindTraces(t.Context(), helloQuery(w)) {
			assert.Error(t, err)
		}
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, e.Shutdown(ctx), "requests did not end in time")
	<-done
}
