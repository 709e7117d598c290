// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// kills is the environment variable that says how often the process is killed.
const kills = "KELEMETRY_KILLS"

// TestStandaloneLosesNothingHoweverOftenItIsKilled posts 2,000 events a second to standalone.yaml and kills it with -9 at random moments: every
// event that was acknowledged is in the store afterwards, and none is there twice.
func TestStandaloneLosesNothingHoweverOftenItIsKilled(t *testing.T) {
	times := 5
	if text := os.Getenv(kills); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		times = n
	}
	dir, webhook, store := t.TempDir(), testbed.FreeAddress(t), testbed.FreeAddress(t)
	env := []string{
		"KELEMETRY_STATE=" + filepath.Join(dir, "state"), "KELEMETRY_TRACES=" + filepath.Join(dir, "traces"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t),
		"KELEMETRY_WEBHOOK=" + webhook, "KELEMETRY_STORE=" + store, "KELEMETRY_CLUSTER=prod",
	}
	p := &poster{url: "http://" + webhook + "/audit", acknowledged: map[string]bool{}, started: time.Now()}
	for range times {
		process := startStandalone(t, env)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(100+rand.IntN(1900))*time.Millisecond)
		p.post(ctx)
		require.NoError(t, syscall.Kill(process.Pid(), syscall.SIGKILL))
		<-process.Exited()
		cancel()
	}
	require.NotEmpty(t, p.acknowledged)
	t.Logf("%d events were posted, of which %d were acknowledged, and the process was killed %d times", p.n, len(p.acknowledged), times)

	startStandalone(t, env)
	conn, err := grpc.NewClient(store, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	reader := jaegerstorage.NewClient(conn)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		stored := storedAuditIDs(t.Context(), c, reader)
		missing := 0
		for id := range p.acknowledged {
			if stored[id] == 0 {
				missing++
			}
		}
		assert.Zero(c, missing, "events that were acknowledged are not in the store")
		for id, n := range stored {
			assert.Equal(c, 1, n, "%s is in the store more than once", id)
		}
	}, 2*time.Minute, time.Second)
}

// startStandalone runs standalone.yaml with what needs no cluster.
func startStandalone(t *testing.T, env []string) *collector.Collector {
	t.Helper()
	c, err := collector.Start(t.Context(), collector.Options{
		Root: root, Config: filepath.Join("config-examples", "standalone.yaml"), Env: env, Set: []string{
			"service.telemetry.metrics.level=none", "service.extensions=[health_check, file_storage, trace_store]",
			"service.pipelines.traces.receivers=[auditlog]",
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Stop()
		if t.Failed() {
			t.Log(c.Tail())
		}
	})
	return c
}

// poster sends events as an API server does, and remembers those that were acknowledged.
type poster struct {
	url          string
	started      time.Time
	n            int
	acknowledged map[string]bool
}

const (
	perBatch   = 100
	perSecond  = 2000
	postObject = 100 // on so many objects
)

// post sends batches until the context ends.
func (p *poster) post(ctx context.Context) {
	every := time.NewTicker(time.Second * perBatch / perSecond)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		var items, ids []string
		for range perBatch {
			p.n++
			id := fmt.Sprintf("killed-%d", p.n)
			at := p.started.Add(time.Duration(p.n) * time.Microsecond).UTC().Format("2006-01-02T15:04:05.000000Z")
			ids = append(ids, id)
			items = append(items, fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":%q,"stage":"ResponseComplete",`+
				`"verb":"patch","requestURI":"/x","user":{"username":"alice"},"objectRef":{"resource":"configmaps","namespace":"default","name":"c%d","apiVersion":"v1"},`+
				`"responseStatus":{"code":200},"requestReceivedTimestamp":%q,"stageTimestamp":%q}`, id, p.n%postObject, at, at))
		}
		body := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(items, ",") + `]}`
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader([]byte(body)))
		if err != nil {
			return
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		_, err = io.Copy(io.Discard, response.Body)
		if closeErr := response.Body.Close(); err == nil && closeErr == nil && response.StatusCode == http.StatusOK {
			for _, id := range ids {
				p.acknowledged[id] = true
			}
		}
	}
}

// storedAuditIDs counts, for each audit ID, the spans that have it.
func storedAuditIDs(ctx context.Context, c *assert.CollectT, reader jaegerstorage.Reader) map[string]int {
	query := jaegerstorage.NewQuery()
	query.Service, query.Limit = "prod", 100*postObject
	stored := map[string]int{}
	for td, err := range reader.FindTraces(ctx, query) {
		require.NoError(c, err)
		for _, resource := range td.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					if id, ok := span.Attributes().Get(attr.AuditID); ok {
						stored[id.Str()]++
					}
				}
			}
		}
	}
	return stored
}
