// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// relay stands between a real API server and the webhook, and remembers which audit events were acknowledged.
type relay struct {
	url    string // of the webhook
	client http.Client

	mu           sync.Mutex
	acknowledged map[string]bool // audit IDs of what alice changed
	refused      int             // events of any kind that were answered with anything but 200, or not at all
}

// newRelay starts one. It returns its URL too.
func newRelay(t *testing.T, webhook string) (*relay, string) {
	t.Helper()
	r := &relay{url: webhook, client: http.Client{Transport: &http.Transport{}}, acknowledged: map[string]bool{}}
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		r.client.CloseIdleConnections()
	})
	return r, server.URL
}

// ServeHTTP passes a batch on, and the answer back.
func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	forward, err := http.NewRequestWithContext(request.Context(), http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	forward.Header.Set("Content-Type", request.Header.Get("Content-Type"))
	response, err := r.client.Do(forward)
	if err != nil {
		r.keep(body, false)
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = response.Body.Close()
	r.keep(body, response.StatusCode == http.StatusOK)
	w.WriteHeader(response.StatusCode)
}

func (r *relay) keep(body []byte, acknowledged bool) {
	var batch struct{ Items []testbed.AuditEvent }
	if err := json.Unmarshal(body, &batch); err != nil {
		return // the webhook took it as a list of events all the same; the count at the end tells
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !acknowledged {
		r.refused += len(batch.Items)
		return
	}
	for _, e := range batch.Items {
		if e.Stage == "ResponseComplete" && e.Writes() && e.User.Username == "alice" {
			r.acknowledged[e.AuditID] = true
		}
	}
}

// refusals returns how many events were not acknowledged.
func (r *relay) refusals() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}

// ids returns the audit IDs that were acknowledged.
func (r *relay) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]string, 0, len(r.acknowledged))
	for id := range r.acknowledged {
		ids = append(ids, id)
	}
	return ids
}

// changeObjects has alice change a ConfigMap ten times a second until the context ends. Requests fail while the API server is away.
func changeObjects(ctx context.Context, c *testbed.Cluster) {
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		_ = change(ctx, c, fmt.Sprint("c", n%10), fmt.Sprint(n))
	}
}

// change sets a label of a ConfigMap, which it makes if there is none.
func change(ctx context.Context, c *testbed.Cluster, name, value string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	configMaps := c.Alice.Client.CoreV1().ConfigMaps("default")
	_, err := configMaps.Patch(ctx, name, types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"labels":{"n":%q}}}`, value), metav1.PatchOptions{})
	if err == nil {
		return nil
	}
	_, err = configMaps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"n": value}}}, metav1.CreateOptions{})
	return err
}

// changeOnce makes one more change, on an object of its own, which must succeed soon.
func changeOnce(t *testing.T, c *testbed.Cluster, name string) {
	t.Helper()
	require.Eventually(t, func() bool { return change(t.Context(), c, name, "last") == nil }, patience, 100*time.Millisecond)
}
