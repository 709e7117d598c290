// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package soak

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const (
	// soak is the environment variable that says how long the faults go on.
	soak        = "KELEMETRY_SOAK"
	defaultSoak = 30 * time.Second
	// patience bounds each wait for something that must come.
	patience = 2 * time.Minute
	// queueSize of the exporter, in bytes on disk: so little that it is full within seconds when the store hangs.
	queueSize = 16 << 20
	// body of an event, in bytes, which with the rest makes the size of a real one.
	body = 3000
	// calm is how many events are let through between two faults.
	calm = 4000
	// refusals is the metric that counts events in refused batches.
	refusals = "otelcol_receiver_auditlog_events_refused"
)

// TestNothingIsLostWhateverFails posts 2,000 events a second, has a user change objects on a real API server besides, and lets one thing after
// another fail: the Collector and the store are killed, the store hangs until the queue is full, the store is slow, the API server and etcd are
// killed, and with an API server that keeps no history every watch then starts on one that is gone. Afterwards each event that was
// acknowledged is in the store once, the watch goes on, what was refused is counted, and neither memory nor goroutines have grown.
func TestNothingIsLostWhateverFails(t *testing.T) {
	s := setUp(t)
	for _, f := range s.faults() { // each at least once
		s.suffer(f)
	}
	for time.Since(s.began) < soakTime(t)*3/4 {
		faults := s.faults()
		s.suffer(faults[rand.IntN(len(faults))])
	}

	// From here on the Collector lives, so that its memory and its counters can be looked at.
	s.suffer(s.killCollector())
	begin := s.usage()
	leastBefore, mostBefore := s.refused()
	countedBefore := int(s.metric(refusals))
	for _, f := range s.survivable() {
		s.suffer(f)
	}
	for time.Since(s.began) < soakTime(t) {
		faults := s.survivable()
		s.suffer(faults[rand.IntN(len(faults))])
	}
	changeOnce(t, s.cluster, "last")
	s.stopLoad()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Zero(c, s.metricOf(c, "otelcol_exporter_queue_size"), "the queue does not empty")
	}, patience, 100*time.Millisecond)
	end := s.usage()

	accepted, refused, lost := s.load.counts()
	t.Logf("%s: %v; %d events acknowledged, %d refused, %d without an answer; %d of a real API server acknowledged", time.Since(s.began).Round(time.Second),
		s.suffered, accepted, refused, lost, len(s.relay.ids()))
	t.Logf("the Collector: %d MB resident, %d goroutines at first; %d MB, %d goroutines at last; %d MB at most", begin.resident>>20, begin.goroutines,
		end.resident>>20, end.goroutines, end.peak>>20)
	assert.LessOrEqual(t, end.goroutines, begin.goroutines+20, "goroutines")
	assert.LessOrEqual(t, end.resident, begin.resident*5/4+64<<20, "memory")
	least, most := s.refused()
	counted := int(s.metric(refusals)) - countedBefore
	assert.GreaterOrEqual(t, counted, least-leastBefore, "not all that was refused is counted")
	assert.LessOrEqual(t, counted, most-mostBefore, "more is counted than was refused")
	assert.Zero(t, s.metric("otelcol_exporter_send_failed_spans"), "spans that the exporter gave up")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		in := readStore(t.Context(), c, s.storeAddress)
		assertAllStored(c, in, s.load, s.relay.ids())
		assert.Positive(c, in.watched["last"], "the watch does not tell of a change any more")
	}, patience, time.Second)
}

// setting is all that runs.
type setting struct {
	t                      *testing.T
	ctx                    context.Context
	began                  time.Time
	cluster                *testbed.Cluster
	collector, store       *program
	storeAddress           string
	telemetry, pprof       string
	runCollector, runStore func() *program
	load                   *load
	relay                  *relay
	stopLoad               func()
	suffered               map[string]int
}

func setUp(t *testing.T) *setting {
	t.Helper()
	dir, webhook := t.TempDir(), testbed.FreeAddress(t)
	s := &setting{
		t: t, ctx: t.Context(), storeAddress: testbed.FreeAddress(t), telemetry: testbed.FreeAddress(t), pprof: testbed.FreeAddress(t),
		suffered: map[string]int{}, load: newLoad("http://"+webhook+"/audit/"+loadCluster, body),
	}
	var audit string
	s.relay, audit = newRelay(t, "http://"+webhook+"/audit/"+liveCluster)
	s.cluster = testbed.ForTest(t, testbed.Options{
		Components: testbed.APIServerOnly, APIServerFlags: []string{"--watch-cache=false", "--etcd-compaction-interval=1s"},
		Audit: testbed.Audit{Webhook: testbed.AuditWebhook{URL: audit, InitialBackoff: time.Second}},
	})
	s.runStore = func() *program {
		return start(t, "standalone.yaml", []string{
			"KELEMETRY_TRACES=" + filepath.Join(dir, "traces"), "KELEMETRY_STORE=" + s.storeAddress, "KELEMETRY_WEBHOOK=" + testbed.FreeAddress(t),
		}, []string{
			collector.NoMetrics, "service.extensions=[trace_store]", "service.pipelines.traces.receivers=[auditlog]",
			"exporters.otlp_grpc.sending_queue.storage=null",
		})
	}
	serveMetrics, err := collector.MetricsAt(s.telemetry)
	require.NoError(t, err)
	s.runCollector = func() *program {
		return start(t, "all-sources.yaml", []string{
			"KUBECONFIG=" + s.cluster.Kubeconfig, "KELEMETRY_CLUSTER=" + liveCluster, "KELEMETRY_STATE=" + filepath.Join(dir, "state"),
			"KELEMETRY_WEBHOOK=" + webhook, "KELEMETRY_HEALTH=" + testbed.FreeAddress(t), "JAEGER_OTLP=" + s.storeAddress,
		}, []string{
			"extensions.pprof.endpoint=" + s.pprof, "service.extensions=[health_check, file_storage, kube_clusters, pprof]",
			serveMetrics, fmt.Sprintf("exporters.otlp_grpc.sending_queue.queue_size=%d", queueSize),
			"exporters.otlp_grpc.retry_on_failure.max_interval=1s",
		})
	}
	s.store, s.collector = s.runStore(), s.runCollector()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.load.run(ctx) })
	running.Go(func() { changeObjects(ctx, s.cluster) })
	s.stopLoad = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(s.stopLoad)
	s.began = time.Now()
	return s
}

// fault is something that fails, and comes back.
type fault struct {
	name string
	do   func()
}

func (s *setting) killCollector() fault {
	return fault{"the Collector killed", func() {
		s.collector.signal(syscall.SIGKILL)
		<-s.collector.Exited()
		s.collector = s.runCollector()
	}}
}

// survivable are the faults that the Collector lives through.
func (s *setting) survivable() []fault {
	return []fault{
		{"the store killed", func() {
			s.store.signal(syscall.SIGKILL)
			<-s.store.Exited()
			s.awaitAnswers(calm / 2) // into the queue, until it is full
			s.store = s.runStore()
		}},
		{"the store hanging until the queue is full", func() {
			s.store.signal(syscall.SIGSTOP)
			defer s.store.signal(syscall.SIGCONT)
			_, before, _ := s.load.counts()
			s.await("the webhook refuses", func(_, refused, _ int) bool { return refused > before })
		}},
		{"the store slow", func() {
			defer s.store.signal(syscall.SIGCONT)
			for range 10 {
				s.store.signal(syscall.SIGSTOP)
				s.awaitAnswers(calm / 20)
				s.store.signal(syscall.SIGCONT)
				s.awaitAnswers(perBatch)
			}
		}},
		{"the API server killed", func() { s.restart("kube-apiserver") }},
		{"etcd killed", func() { s.restart("etcd") }},
	}
}

func (s *setting) faults() []fault { return append(s.survivable(), s.killCollector()) }

// suffer lets a fault happen, and then waits until events are accepted again.
func (s *setting) suffer(f fault) {
	s.t.Helper()
	f.do()
	s.suffered[f.name]++
	s.awaitMore(1 + rand.IntN(calm))
}

func (s *setting) restart(server string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	require.NoError(s.t, s.cluster.Restart(ctx, server))
}

// awaitMore waits until so many more events have been accepted.
func (s *setting) awaitMore(n int) {
	s.t.Helper()
	before, _, _ := s.load.counts()
	s.await("events are accepted again", func(accepted, _, _ int) bool { return accepted >= before+n })
}

// awaitAnswers waits until so many more events have been answered, in whatever way.
func (s *setting) awaitAnswers(n int) {
	s.t.Helper()
	accepted, refused, lost := s.load.counts()
	before := accepted + refused + lost
	s.await("events are answered", func(accepted, refused, lost int) bool { return accepted+refused+lost >= before+n })
}

func (s *setting) await(what string, holds func(accepted, refused, lost int) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	require.NoError(s.t, s.load.await(ctx, holds), what)
}

// refused is how many events got another answer than 200: the load's at least, and at most those without an answer and the API server's besides.
func (s *setting) refused() (least, most int) {
	_, refused, lost := s.load.counts()
	return refused, refused + lost + s.relay.refusals()
}

// usage is what the Collector takes.
type usage struct {
	resident, peak int64
	goroutines     int
}

var profileTotal = regexp.MustCompile(`^goroutine profile: total (\d+)`)

func (s *setting) usage() usage {
	s.t.Helper()
	u, err := s.collector.Usage()
	require.NoError(s.t, err)
	found := profileTotal.FindStringSubmatch(get(s.t, "http://"+s.pprof+"/debug/pprof/goroutine?debug=1"))
	require.NotNil(s.t, found)
	goroutines, err := strconv.Atoi(found[1])
	require.NoError(s.t, err)
	return usage{resident: u.Resident, peak: u.Peak, goroutines: goroutines}
}

// metric is the sum of all series of one of the Collector's metrics; 0 if there is none.
func (s *setting) metric(name string) float64 {
	s.t.Helper()
	return s.metricOf(s.t, name)
}

func (s *setting) metricOf(t require.TestingT, name string) float64 {
	line := regexp.MustCompile(`(?m)^` + name + `(?:_total)?(?:\{.*\})? (\S+)$`)
	sum := 0.0
	for _, found := range line.FindAllStringSubmatch(get(t, "http://"+s.telemetry+"/metrics"), -1) {
		value, err := strconv.ParseFloat(found[1], 64)
		require.NoError(t, err)
		sum += value
	}
	return sum
}

func get(t require.TestingT, url string) string {
	response, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	return string(text)
}

func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(soak)
	if text == "" {
		return defaultSoak
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}
