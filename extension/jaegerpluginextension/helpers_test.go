// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// host has extensions and keeps statuses.
type host struct {
	extensions map[component.ID]component.Component

	mu       sync.Mutex // guards statuses
	statuses []string
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := event.Status().String()
	if event.Err() != nil {
		text += ": " + event.Err().Error()
	}
	h.statuses = append(h.statuses, text)
}

func (h *host) last() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.statuses) == 0 {
		return ""
	}
	return h.statuses[len(h.statuses)-1]
}

// provider is an extension that has traces.
type provider struct {
	component.StartFunc
	component.ShutdownFunc
	reader jaegerstorage.Reader
}

func (p *provider) JaegerStorage() jaegerstorage.Reader { return p.reader }

var storeID = component.MustNewID("trace_store")

func testConfig() *Config {
	config := createDefaultConfig().(*Config)
	config.GRPC.NetAddr.Endpoint = "127.0.0.1:0"
	config.Backend.Extension = &storeID
	config.HTTP.GetOrInsertDefault().NetAddr.Endpoint = "127.0.0.1:0"
	return config
}

func start(t *testing.T, config *Config, reader jaegerstorage.Reader, tel *componenttest.Telemetry) (*pluginExtension, *host) {
	t.Helper()
	set := extensiontest.NewNopSettings(typ)
	if tel != nil {
		set.TelemetrySettings = tel.NewTelemetrySettings()
	}
	h := &host{extensions: map[component.ID]component.Component{storeID: &provider{reader: reader}}}
	e := newExtension(config, set)
	require.NoError(t, e.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.WithoutCancel(t.Context()))) })
	return e, h
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func helloQuery(w *storagetest.World) jaegerstorage.Query {
	q := jaegerstorage.NewQuery()
	q.Service, q.Operation = "tracing", "prod"
	q.Attributes.PutStr("name", "hello")
	q.StartMin, q.StartMax = w.Start.Add(-time.Hour), w.Start.Add(time.Hour)
	return q
}

func get(t *testing.T, e *pluginExtension, path, accept string) (code int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.running.httpAddr.String()+path, nil)
	require.NoError(t, err)
	request.Header.Set("Accept", accept)
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true},
	}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(text)
}
