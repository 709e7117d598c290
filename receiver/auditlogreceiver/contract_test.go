// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// The Collector's own checker: whatever errors the pipeline returns, nothing is lost that can be delivered.

func TestWebhookKeepsTheContractOfReceivers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	config := createDefaultConfig().(*Config)
	config.Webhook.GetOrInsertDefault().NetAddr.Endpoint = address
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Factory: tellingIDs(NewFactory()), Signal: pipeline.SignalTraces, Config: config, GenerateCount: 200,
		Generator: &poster{t: t, url: "http://" + address + "/audit/prod"},
	})
}

func TestFilesKeepTheContractOfReceivers(t *testing.T) {
	writer := &writer{t: t, path: filepath.Join(t.TempDir(), "audit.log")}
	config := createDefaultConfig().(*Config)
	files := config.Files.GetOrInsertDefault()
	files.Include, files.Cluster = []string{writer.path}, "prod"
	files.PollInterval, files.Retry.InitialInterval = time.Millisecond, time.Millisecond
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Factory: tellingIDs(NewFactory()), Signal: pipeline.SignalTraces, Config: config, GenerateCount: 200, Generator: writer,
	})
}

// tellingIDs shows the checker the audit IDs as the IDs that it looks for.
func tellingIDs(factory receiver.Factory) receiver.Factory {
	return receiver.NewFactory(factory.Type(), factory.CreateDefaultConfig, receiver.WithTraces(
		func(ctx context.Context, set receiver.Settings, config component.Config, next consumer.Traces) (receiver.Traces, error) {
			telling, err := consumer.NewTraces(func(ctx context.Context, traces ptrace.Traces) error {
				for _, span := range spansOf(traces) {
					id, _ := span.Attributes().Get(attr.AuditID)
					span.Attributes().PutStr(receivertest.UniqueIDAttrName, id.Str())
				}
				return next.ConsumeTraces(ctx, traces)
			})
			if err != nil {
				return nil, err
			}
			return factory.CreateTraces(ctx, set, config, telling)
		}, component.StabilityLevelAlpha))
}

var generated atomic.Int64

func newEvent() (receivertest.UniqueIDAttrVal, string) {
	id := fmt.Sprintf("audit-%d", generated.Add(1))
	return receivertest.UniqueIDAttrVal(id), event(id, "create")
}

// poster sends batches as an API server does: again, until they are answered for good.
type poster struct {
	t   *testing.T
	url string
}

func (*poster) Start() {}

func (*poster) Stop() { http.DefaultClient.CloseIdleConnections() }

func (p *poster) Generate() []receivertest.UniqueIDAttrVal {
	one, first := newEvent()
	two, second := newEvent()
	for {
		response, err := http.Post(p.url, "application/json", strings.NewReader(list(first, second)))
		if err != nil {
			p.t.Error(err)
			return nil
		}
		_, _ = io.Copy(io.Discard, response.Body)
		assert.NoError(p.t, response.Body.Close())
		if response.StatusCode != http.StatusServiceUnavailable {
			return []receivertest.UniqueIDAttrVal{one, two}
		}
	}
}

// writer appends to an audit log. Each round of the checker has a receiver and a file of its own: none is cut under the eyes of its reader.
type writer struct {
	t    *testing.T
	path string

	mu   sync.Mutex // guards file
	file *os.File
}

func (w *writer) Start() {
	var err error
	w.file, err = os.OpenFile(w.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	require.NoError(w.t, err)
}

func (w *writer) Stop() {
	require.NoError(w.t, w.file.Close())
	require.NoError(w.t, os.Remove(w.path))
}

func (w *writer) Generate() []receivertest.UniqueIDAttrVal {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, line := newEvent()
	_, err := w.file.WriteString(line + "\n")
	assert.NoError(w.t, err)
	return []receivertest.UniqueIDAttrVal{id}
}
