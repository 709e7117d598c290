// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

// patience bounds each wait. Nothing that a healthy machine does takes as long.
const patience = time.Minute

// The cluster that most tests share, and the audit log of its API server.
var (
	shared   *testbed.Cluster
	auditLog string
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kelemetry-clusters-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	auditLog = filepath.Join(dir, "audit.log")
	code := testbed.RunTests(m, testbed.Options{
		Components: testbed.APIServerOnly,
		Audit:      testbed.Audit{Level: testbed.LevelMetadata, Log: testbed.AuditLog{Path: auditLog}},
	}, func(c *testbed.Cluster) { shared = c })
	os.RemoveAll(dir)
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// extension is a running kube_clusters with one cluster.
type extension struct {
	kubecluster.Cluster
	t    *testing.T
	logs *observer.ObservedLogs
	host *host
	stop func()
}

// startExtension starts it with the options of the cluster "test" and, if any, those of the extension.
func startExtension(t *testing.T, cluster, options map[string]any) *extension {
	t.Helper()
	all := map[string]any{"clusters": map[string]any{"test": cluster}}
	for key, value := range options {
		all[key] = value
	}
	factory := kubeclustersextension.NewFactory()
	config := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(all).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	core, logs := observer.New(zap.InfoLevel)
	set := extensiontest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type())
	set.Logger = zap.New(core)
	set.BuildInfo.Command, set.BuildInfo.Version = "kelemetry", "of-a-test-"+rand.Text() // to tell its requests apart
	started, err := factory.Create(t.Context(), set, config)
	require.NoError(t, err)
	h := &host{extensions: map[component.ID]component.Component{set.ID: started}}
	require.NoError(t, started.Start(t.Context(), h))
	var once sync.Once
	e := &extension{t: t, logs: logs, host: h, stop: func() {
		once.Do(func() { assert.NoError(t, started.Shutdown(context.Background())) })
	}}
	t.Cleanup(e.stop)
	clusters, err := kubecluster.Find(h, set.ID)
	require.NoError(t, err)
	e.Cluster, err = clusters.Cluster("test")
	require.NoError(t, err)
	return e
}

// asUser is how a user reaches a cluster.
func asUser(u *testbed.User) map[string]any {
	return map[string]any{"kubeconfig": map[string]any{"path": u.Kubeconfig}}
}

// asToken is how somebody reaches it by a token of their own.
func asToken(c *testbed.Cluster, token string) map[string]any {
	return map[string]any{"server": map[string]any{
		"url": c.URL, "token": token, "tls": map[string]any{"ca_pem": string(c.Admin.Config.CAData)},
	}}
}

// is waits until the extension is in a status, and returns the error in it.
func (e *extension) is(status componentstatus.Status) string {
	e.t.Helper()
	var text string
	require.Eventually(e.t, func() bool {
		last, err := e.host.last()
		if text = ""; err != nil {
			text = err.Error()
		}
		return last == status
	}, patience, 10*time.Millisecond, "status %s", status)
	return text
}

// connected waits until the cluster's UID is known, which is found out after everything else.
func (e *extension) connected() *extension {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		return e.logs.FilterMessage("The API server answers").Len() > 0
	}, patience, 10*time.Millisecond)
	return e
}

func (e *extension) lookUp(resource, namespace, name string) (string, error) {
	object, err := e.Metadata(e.t.Context(), schema.ParseGroupResource(resource), namespace, name)
	if err != nil {
		return "", err
	}
	return string(object.UID), nil
}

// host remembers the last status.
type host struct {
	extensions map[component.ID]component.Component

	mu    sync.Mutex // guards event
	event *componentstatus.Event
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.event = e
}

func (h *host) last() (componentstatus.Status, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.event == nil {
		return componentstatus.StatusNone, nil
	}
	return h.event.Status(), h.event.Err()
}

// requests counts what the API server was asked for by somebody, by the user agent.
func requests(t *testing.T, agent string, match func(testbed.AuditEvent) bool) int {
	t.Helper()
	f, err := os.Open(auditLog)
	require.NoError(t, err)
	defer f.Close()
	n := 0
	require.NoError(t, testbed.ReadAuditLog(f, func(_ []byte, e testbed.AuditEvent) error {
		if e.UserAgent == agent && e.Stage == "ResponseComplete" && match(e) {
			n++
		}
		return nil
	}))
	return n
}
