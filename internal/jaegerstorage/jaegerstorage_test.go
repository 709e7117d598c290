// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerstorage

import (
	"context"
	"errors"
	"iter"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage/internal/storagev2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeReader answers with what it was given, and keeps what it was asked.
type fakeReader struct {
	chunks    []ptrace.Traces
	summaries []Summary
	err       error
	wait      bool // until the request is canceled

	params   []TraceParams
	query    Query
	end      time.Time
	lookback time.Duration
	ended    chan struct{} // closed when a request that waited is over
}

func (r *fakeReader) yield(ctx context.Context) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) {
		for _, chunk := range r.chunks {
			if !yield(chunk, nil) {
				return
			}
		}
		if r.wait {
			<-ctx.Done()
			close(r.ended)
			yield(ptrace.Traces{}, ctx.Err())
		}
		if r.err != nil {
			yield(ptrace.Traces{}, r.err)
		}
	}
}

func (r *fakeReader) GetTraces(ctx context.Context, params []TraceParams) iter.Seq2[ptrace.Traces, error] {
	r.params = params
	return r.yield(ctx)
}

func (r *fakeReader) FindTraces(ctx context.Context, query Query) iter.Seq2[ptrace.Traces, error] {
	r.query = query
	return r.yield(ctx)
}

func (r *fakeReader) FindTraceSummaries(_ context.Context, query Query) iter.Seq2[[]Summary, error] {
	r.query = query
	return func(yield func([]Summary, error) bool) {
		if r.err != nil {
			yield(nil, r.err)
			return
		}
		yield(r.summaries, nil)
	}
}

func (r *fakeReader) Services(context.Context) ([]string, error) {
	return []string{"prod", "stag\xffing"}, r.err
}

func (r *fakeReader) Operations(_ context.Context, service, spanKind string) ([]Operation, error) {
	return []Operation{{Name: "of " + service, SpanKind: spanKind}}, r.err
}

func (r *fakeReader) Dependencies(_ context.Context, end time.Time, lookback time.Duration) ([]Dependency, error) {
	r.end, r.lookback = end, lookback
	return []Dependency{{Parent: "a", Child: "b", Calls: 3, Source: "c"}}, r.err
}

// serve serves the reader on a port of its own, and returns a connection to it.
func serve(t *testing.T, reader Reader) *grpc.ClientConn {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	Register(server, reader, Capabilities{WithoutServiceName: true, SameSpanConjunction: true})
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		require.NoError(t, <-done)
	})
	return conn
}

// trace makes a trace whose spans have each a text of that size.
func trace(id byte, spans, size int) ptrace.Traces {
	td := ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "prod")
	scope := resource.ScopeSpans().AppendEmpty()
	scope.Scope().SetName("test")
	for i := range spans {
		span := scope.Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{id})
		span.SetSpanID(pcommon.SpanID{id, byte(i), byte(i >> 8), 1})
		span.SetName("span")
		span.Attributes().PutStr("text", string(make([]byte, size)))
	}
	return td
}

func collect(t *testing.T, chunks iter.Seq2[ptrace.Traces, error]) (all []ptrace.Traces) {
	t.Helper()
	for chunk, err := range chunks {
		require.NoError(t, err)
		all = append(all, chunk)
	}
	return all
}

func TestTracesArriveAsTheyAre(t *testing.T) {
	reader := &fakeReader{chunks: []ptrace.Traces{trace(1, 2, 10), ptrace.NewTraces(), trace(2, 1, 0)}}
	client := NewClient(serve(t, reader))
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	asked := []TraceParams{{TraceID: pcommon.TraceID{1}, Start: at, End: at.Add(time.Hour)}, {TraceID: pcommon.TraceID{2}}}

	got := collect(t, client.GetTraces(t.Context(), asked))
	assert.Equal(t, []ptrace.Traces{reader.chunks[0], reader.chunks[2]}, got, "and the empty one does not")
	assert.Equal(t, asked, reader.params)
}

func TestAQueryArrivesAsItIs(t *testing.T) {
	reader := &fakeReader{}
	client := NewClient(serve(t, reader))
	query := NewQuery()
	query.Service, query.Operation, query.Limit = "prod", "updated", 20
	query.StartMin, query.StartMax = time.Unix(1, 2).UTC(), time.Unix(3, 4).UTC()
	query.DurationMin, query.DurationMax = time.Second, time.Minute
	require.NoError(t, query.Attributes.FromRaw(map[string]any{
		"text": "a", "number": int64(1), "truth": true, "fraction": 1.5, "bytes": []byte("b"),
		"list": []any{"a", int64(1)}, "map": map[string]any{"key": "value"},
	}))
	assert.Empty(t, collect(t, client.FindTraces(t.Context(), query)), "nothing found is an empty stream")
	assert.Equal(t, query.Attributes.AsRaw(), reader.query.Attributes.AsRaw())
	reader.query.Attributes = query.Attributes
	assert.Equal(t, query, reader.query)

	assert.Empty(t, collect(t, client.FindTraces(t.Context(), NewQuery())))
	assert.Zero(t, reader.query.Attributes.Len())
	reader.query.Attributes = pcommon.Map{}
	assert.Equal(t, Query{}, reader.query)
}

func TestSummaries(t *testing.T) {
	one := Summary{
		TraceID: pcommon.TraceID{9}, RootService: "deployments", RootOperation: "hello",
		Start: time.Unix(1, 0).UTC(), End: time.Unix(2, 0).UTC(), Spans: 3, ErrorSpans: 2, Orphaned: 1,
		Services: []ServiceSummary{{Name: "pods", Spans: 2, ErrorSpans: 1}},
	}
	reader := &fakeReader{}
	for range 450 {
		reader.summaries = append(reader.summaries, one)
	}
	reader.summaries = append(reader.summaries, Summary{RootOperation: "\xff"})
	var got []Summary
	messages := 0
	for summaries, err := range NewClient(serve(t, reader)).FindTraceSummaries(t.Context(), NewQuery()) {
		require.NoError(t, err)
		got = append(got, summaries...)
		messages++
	}
	assert.Equal(t, 3, messages)
	reader.summaries[450].RootOperation = "\uFFFD"
	assert.Equal(t, reader.summaries, got)
}

func TestNames(t *testing.T) {
	reader := &fakeReader{}
	client := NewClient(serve(t, reader))
	services, err := client.Services(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"prod", "stag\uFFFDing"}, services)
	operations, err := client.Operations(t.Context(), "prod", "server")
	require.NoError(t, err)
	assert.Equal(t, []Operation{{Name: "of prod", SpanKind: "server"}}, operations)
	end := time.Unix(7200, 0).UTC()
	dependencies, err := client.Dependencies(t.Context(), end, time.Hour)
	require.NoError(t, err)
	assert.Equal(t, []Dependency{{Parent: "a", Child: "b", Calls: 3, Source: "c"}}, dependencies)
	assert.Equal(t, end, reader.end)
	assert.Equal(t, time.Hour, reader.lookback)
}

func TestCapabilities(t *testing.T) {
	response, err := storagev2.NewCapabilitiesClient(serve(t, &fakeReader{})).GetCapabilities(t.Context(), &storagev2.GetCapabilitiesRequest{})
	require.NoError(t, err)
	assert.True(t, response.GetSearch().GetWithoutServiceName())
	assert.True(t, response.GetSearch().GetSameSpanConjunction())
}

// TestErrorsKeepWhatTheyAre over the connection, whatever was asked.
func TestErrorsKeepWhatTheyAre(t *testing.T) {
	for _, test := range []struct {
		err  error
		is   error
		code codes.Code
	}{
		{ErrUnimplemented, ErrUnimplemented, codes.Unimplemented},
		{ErrInvalid, ErrInvalid, codes.InvalidArgument},
		{context.DeadlineExceeded, context.DeadlineExceeded, codes.DeadlineExceeded},
		{status.Error(codes.Unavailable, "down"), nil, codes.Unavailable},
		{errors.New("broken"), nil, codes.Unknown},
	} {
		client := NewClient(serve(t, &fakeReader{err: test.err}))
		var got []error
		for _, err := range client.GetTraces(t.Context(), nil) {
			got = append(got, err)
		}
		for _, err := range client.FindTraces(t.Context(), NewQuery()) {
			got = append(got, err)
		}
		for _, err := range client.FindTraceSummaries(t.Context(), NewQuery()) {
			got = append(got, err)
		}
		_, err := client.Services(t.Context())
		got = append(got, err)
		_, err = client.Operations(t.Context(), "", "")
		got = append(got, err)
		_, err = client.Dependencies(t.Context(), time.Unix(1, 0), 0)
		got = append(got, err)
		require.Len(t, got, 6)
		for _, err := range got {
			require.Error(t, err)
			assert.Equal(t, test.code, status.Code(err), "%v", err)
			if test.is != nil {
				assert.ErrorIs(t, err, test.is)
			}
		}
	}
}

func TestCancellationReachesTheReader(t *testing.T) {
	reader := &fakeReader{chunks: []ptrace.Traces{trace(1, 1, 0)}, wait: true, ended: make(chan struct{})}
	client := NewClient(serve(t, reader))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range client.GetTraces(ctx, nil) {
		last = err
		cancel()
	}
	require.ErrorIs(t, last, context.Canceled)
	<-reader.ended
}

func TestBreakingOffEndsTheRequest(t *testing.T) {
	reader := &fakeReader{chunks: []ptrace.Traces{trace(1, 1, 0)}, wait: true, ended: make(chan struct{})}
	for _, err := range NewClient(serve(t, reader)).FindTraces(t.Context(), NewQuery()) {
		require.NoError(t, err)
		break
	}
	<-reader.ended
}

// TestWhatJaegerSends: times of year 1, queries with what is not served, IDs of the wrong size.
func TestWhatJaegerSends(t *testing.T) {
	reader := &fakeReader{}
	client := storagev2.NewTraceReaderClient(serve(t, reader))
	find := func(query *storagev2.TraceQueryParameters) error {
		stream, err := client.FindTraces(t.Context(), &storagev2.FindTracesRequest{Query: query})
		require.NoError(t, err)
		_, err = stream.Recv()
		return err
	}
	unset := timestamppb.New(time.Time{})
	require.ErrorContains(t, find(&storagev2.TraceQueryParameters{StartTimeMin: unset, StartTimeMax: unset}), "EOF")
	assert.True(t, reader.query.StartMin.IsZero())
	assert.True(t, reader.query.StartMax.IsZero())
	require.ErrorContains(t, find(nil), "EOF")
	require.ErrorContains(t, find(&storagev2.TraceQueryParameters{Attributes: []*storagev2.KeyValue{nil, {Key: "a"}, {Key: "b", Value: &storagev2.AnyValue{}}}}), "EOF")
	require.ErrorContains(t, find(&storagev2.TraceQueryParameters{Pagination: &storagev2.Pagination{PageSize: 7}}), "EOF")
	assert.Equal(t, 7, reader.query.Limit)

	deep := &storagev2.AnyValue{}
	for range 50 {
		deep = &storagev2.AnyValue{Value: &storagev2.AnyValue_ArrayValue{ArrayValue: &storagev2.ArrayValue{Values: []*storagev2.AnyValue{deep}}}}
	}
	for name, query := range map[string]*storagev2.TraceQueryParameters{
		"structured filters": {Filter: []byte("x")},
		"no further pages":   {Pagination: &storagev2.Pagination{PageSize: 1, PageToken: "x"}},
		"search_depth is -1": {SearchDepth: -1},
		"nested":             {Attributes: []*storagev2.KeyValue{{Key: "a", Value: deep}}},
	} {
		err := find(query)
		assert.Equal(t, codes.InvalidArgument, status.Code(err))
		require.ErrorContains(t, err, name)
		stream, err := client.FindTraceSummaries(t.Context(), &storagev2.FindTraceSummariesRequest{Query: query})
		require.NoError(t, err)
		_, err = stream.Recv()
		assert.Equal(t, codes.InvalidArgument, status.Code(err))
	}

	stream, err := client.GetTraces(t.Context(), &storagev2.GetTracesRequest{Query: []*storagev2.GetTraceParams{{TraceId: []byte("short")}}})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.ErrorContains(t, err, "a trace ID has 16 bytes, got 5")
}

// sender is a storage that sends one message whatever is asked.
type sender struct {
	storagev2.UnimplementedTraceReaderServer
	data *storagev2.TracesData
}

func (s *sender) GetTraces(_ *storagev2.GetTracesRequest, stream grpc.ServerStreamingServer[storagev2.TracesData]) error {
	return stream.Send(s.data)
}

func TestAStorageThatSendsNonsense(t *testing.T) {
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"not a message": {[]byte{0xff, 0xff, 0xff}, "decode spans"},
		"no spans":      {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			server := grpc.NewServer()
			storagev2.RegisterTraceReaderServer(server, &sender{data: &storagev2.TracesData{ResourceSpans: [][]byte{test.data}}})
			done := make(chan error, 1)
			go func() { done <- server.Serve(listener) }()
			conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
			require.NoError(t, err)
			var got error
			for _, err := range NewClient(conn).GetTraces(t.Context(), nil) {
				got = err
				require.Error(t, err, "an empty chunk is not passed on")
			}
			if test.want != "" {
				require.ErrorContains(t, got, test.want)
			}
			require.NoError(t, conn.Close())
			server.Stop()
			require.NoError(t, <-done)
		})
	}
}

func TestALargeTraceArrivesInParts(t *testing.T) {
	reader := &fakeReader{chunks: []ptrace.Traces{trace(1, 1000, 10<<10), trace(2, 1, 5<<20), trace(3, 2, 1)}}
	got := collect(t, NewClient(serve(t, reader)).GetTraces(t.Context(), nil))
	require.Len(t, got, 4+1+1)
	spans := map[pcommon.TraceID]int{}
	for _, chunk := range got {
		for _, resource := range chunk.ResourceSpans().All() {
			service, _ := resource.Resource().Attributes().Get("service.name")
			assert.Equal(t, "prod", service.Str())
			for _, scope := range resource.ScopeSpans().All() {
				assert.Equal(t, "test", scope.Scope().Name())
				for _, span := range scope.Spans().All() {
					spans[span.TraceID()]++
				}
			}
		}
	}
	assert.Equal(t, map[pcommon.TraceID]int{{1}: 1000, {2}: 1, {3}: 2}, spans)
}
