// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package sharding tests that several processes make of a load what one makes of it, and lose nothing when one of them is
// killed. docs/sharding.md tells users the same.
package sharding

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // the sink accepts it

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

const (
	root     = "../.."
	replicas = 3
	// patience is for what takes a second on an idle machine.
	patience = 2 * time.Minute
)

// sink stands in Jaeger's place and keeps everything.
type sink struct {
	ptraceotlp.UnimplementedGRPCServer
	address string

	receivedMu sync.Mutex // guards received
	received   []ptrace.Traces
}

// Export implements ptraceotlp.GRPCServer.
func (s *sink) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	td := ptrace.NewTraces()
	request.Traces().CopyTo(td)
	s.receivedMu.Lock()
	defer s.receivedMu.Unlock()
	s.received = append(s.received, td)
	return ptraceotlp.NewExportResponse(), nil
}

func startSink(t *testing.T) *sink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &sink{address: listener.Addr().String()}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ptraceotlp.RegisterGRPCServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return s
}

// span is a span with its resource's attributes.
type span struct {
	ptrace.Span
	resource pcommon.Map
}

func (s span) text(key string) string {
	if v, ok := s.Attributes().Get(key); ok {
		return v.AsString()
	}
	return ""
}

func (s span) objectID() string {
	v, _ := s.resource.Get(attr.ObjectID)
	return v.Str()
}

func (s span) cluster() string {
	v, _ := s.resource.Get(attr.ClusterName)
	return v.Str()
}

func (s span) isObject() bool { return s.text(attr.SpanType) == attr.SpanTypeObject }

// spans returns what came so far, from a number of batches on.
func (s *sink) spans(from int) []span {
	s.receivedMu.Lock()
	defer s.receivedMu.Unlock()
	return flatten(s.received[from:]...)
}

func flatten(batches ...ptrace.Traces) []span {
	var all []span
	for _, td := range batches {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, sp := range ss.Spans().All() {
					all = append(all, span{sp, rs.Resource().Attributes()})
				}
			}
		}
	}
	return all
}

// all returns what came so far as it came.
func (s *sink) all() []ptrace.Traces {
	s.receivedMu.Lock()
	defer s.receivedMu.Unlock()
	return slices.Clone(s.received)
}

func (s *sink) batches() int {
	s.receivedMu.Lock()
	defer s.receivedMu.Unlock()
	return len(s.received)
}

// awaitAudits waits until all these audit IDs are in what came from a number of batches on.
func (s *sink) awaitAudits(t *testing.T, from int, want map[string]bool) {
	t.Helper()
	missing := func() int {
		seen := map[string]bool{}
		for _, sp := range s.spans(from) {
			seen[sp.text(attr.AuditID)] = true
		}
		n := 0
		for id := range want {
			if !seen[id] {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return missing() == 0 }, patience, 200*time.Millisecond, "events are missing")
}

// start runs the binary with a file of config-examples.
func start(t *testing.T, example string, set []string, env ...string) *collector.Collector {
	t.Helper()
	return startLogged(t, nil, example, set, append([]string{"KELEMETRY_HEALTH=" + testbed.FreeAddress(t)}, env...)...)
}

func startLogged(t *testing.T, log io.Writer, example string, set []string, env ...string) *collector.Collector {
	t.Helper()
	c, err := run(t.Context(), log, example, set, env...)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Stop()
		if t.Failed() {
			t.Log(example + ":\n" + c.Tail())
		}
	})
	return c
}

func run(ctx context.Context, log io.Writer, example string, set []string, env ...string) (*collector.Collector, error) {
	return collector.Start(ctx, collector.Options{
		Root: root, Config: filepath.Join("config-examples", example), Env: env, Log: log,
		Set: append([]string{collector.NoMetrics}, set...),
	})
}

// byObject makes the edge spread by trace ID, which receivers give to an object in a window.
var byObject = []string{"exporters.load_balancing.routing_key=traceID", "exporters.load_balancing.routing_attributes=[]"}

// tier is the processes behind one webhook.
type tier struct {
	webhook string
	sink    *sink
	// link are the processes that place spans; the rest is what they are started with.
	link    []*collector.Collector
	example string
	linkSet []string
	linkEnv [][]string
	// shares are closed when these processes were first given partitions of the topic.
	shares []<-chan struct{}
}

// notice is a log that says when a line with a text was written.
type notice struct {
	text string
	once sync.Once
	seen chan struct{}
}

// Write implements io.Writer.
func (n *notice) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(n.text)) {
		n.once.Do(func() { close(n.seen) })
	}
	return len(line), nil
}

// startOne is everything in one process.
func startOne(t *testing.T) *tier {
	t.Helper()
	one := &tier{webhook: testbed.FreeAddress(t), sink: startSink(t)}
	start(t, "audit-webhook.yaml", nil, "KELEMETRY_STATE="+state(t), "KELEMETRY_WEBHOOK="+one.webhook, "JAEGER_OTLP="+one.sink.address)
	return one
}

// startBalanced is a process that receives, and three that place.
func startBalanced(t *testing.T, set ...string) *tier {
	t.Helper()
	b := &tier{webhook: testbed.FreeAddress(t), sink: startSink(t), example: "loadbalanced-link.yaml"}
	var addresses []string
	for i := range replicas {
		address := testbed.FreeAddress(t)
		b.startLink(t, "KELEMETRY_OTLP="+address)
		addresses = append(addresses, fmt.Sprintf("KELEMETRY_LINK_%d=%s", i, address))
	}
	start(t, "loadbalanced-edge.yaml", set, append(addresses, "KELEMETRY_STATE="+state(t), "KELEMETRY_WEBHOOK="+b.webhook)...)
	return b
}

// startKafka is the same with a broker in between, which has more partitions than there are processes.
func startKafka(t *testing.T) *tier {
	t.Helper()
	return startKafkaBeside(t, nobody(t), testbed.FreeAddress(t))
}

// startKafkaBeside looks owners up in the cluster of a kubeconfig. It may take a busy machine long to answer: nothing gives up
// before, because then trees are cut, as they are meant to be.
func startKafkaBeside(t *testing.T, kubeconfig, webhook string) *tier {
	t.Helper()
	kafka := testbed.KafkaForTest(t, 2*replicas+1)
	b := &tier{
		webhook: webhook, sink: startSink(t), example: "kafka-link.yaml",
		linkSet: []string{
			"processors.k8slink.lookup.timeout=1m", "extensions.kube_clusters.lookups.timeout=1m", "extensions.kube_clusters.discovery.timeout=1m",
		},
	}
	broker := "KELEMETRY_KAFKA=" + kafka.Broker
	start(t, "kafka-edge.yaml", nil, broker, "KELEMETRY_STATE="+state(t), "KELEMETRY_WEBHOOK="+b.webhook)
	for range replicas {
		b.startLink(t, broker, "KUBECONFIG="+kubeconfig)
	}
	return b
}

// nobody is the kubeconfig of a cluster that does not answer.
func nobody(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Config","current-context":"c","clusters":[{"name":"c","cluster":{"server":"http://%s"}}],`+
		`"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],"users":[{"name":"u","user":{}}]}`, testbed.FreeAddress(t)), 0o600))
	return file
}

func (b *tier) startLink(t *testing.T, env ...string) {
	t.Helper()
	env = append(env, "KELEMETRY_STATE="+state(t), "KELEMETRY_HEALTH="+testbed.FreeAddress(t), "JAEGER_OTLP="+b.sink.address)
	b.linkEnv = append(b.linkEnv, env)
	given := &notice{text: `"assigned": "kelemetry_spans[`, seen: make(chan struct{})}
	b.shares = append(b.shares, given.seen)
	b.link = append(b.link, startLogged(t, given, b.example, b.linkSet, env...))
}

// awaitShares waits until all processes behind Kafka have partitions.
func (b *tier) awaitShares(t *testing.T) {
	t.Helper()
	timeout := time.After(patience)
	for i, share := range b.shares {
		select {
		case <-share:
		case <-timeout:
			require.Fail(t, "a process got no partitions", "%d:\n%s", i, b.link[i].Tail())
		}
	}
}

func state(t *testing.T) string { return filepath.Join(t.TempDir(), "state") }

// post sends audit events of a cluster, which must be taken.
func (b *tier) post(t *testing.T, cluster string, events [][]byte) {
	t.Helper()
	body := append([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`), bytes.Join(events, []byte(","))...)
	response, err := http.Post("http://"+b.webhook+"/audit/"+cluster, "application/json", bytes.NewReader(append(body, "]}"...)))
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", answer)
}

// recording returns the recorded audit log, in batches as an API server sends them.
func recording(t *testing.T) [][][]byte {
	t.Helper()
	file, err := os.Open(filepath.Join(root, "integration", "testdata", "recording", "audit.json.gz"))
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 16<<20)
	batches := [][][]byte{nil}
	for lines.Scan() {
		last := &batches[len(batches)-1]
		if len(*last) == 200 {
			batches = append(batches, nil)
			last = &batches[len(batches)-1]
		}
		*last = append(*last, bytes.Clone(lines.Bytes()))
	}
	require.NoError(t, lines.Err())
	return batches
}
