// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
)

// AuditSink is a webhook that keeps what kube-apiserver posts to it: what a test holds against the product's own receiver.
type AuditSink struct {
	server *httptest.Server

	mu      sync.Mutex
	status  int
	batches []AuditBatch
	changed chan struct{} // closed and replaced with each batch
}

// AuditBatch is one request that was answered with 200.
type AuditBatch struct {
	Path   string
	Events []AuditEvent
}

// NewAuditSink starts one on a free port, until Close.
func NewAuditSink() *AuditSink {
	s := &AuditSink{status: http.StatusOK, changed: make(chan struct{})}
	s.server = httptest.NewServer(s)
	return s
}

// URL for AuditWebhook, with the given path.
func (s *AuditSink) URL(path string) string { return s.server.URL + path }

// Close ends it, and connections to it.
func (s *AuditSink) Close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// Answer sets the status of the answers from now on. Batches that are not answered with 200 are not kept.
func (s *AuditSink) Answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// Batches returns all batches kept so far.
func (s *AuditSink) Batches() []AuditBatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batches[:len(s.batches):len(s.batches)]
}

// Events returns the events of all batches kept so far.
func (s *AuditSink) Events() []AuditEvent {
	var events []AuditEvent
	for _, b := range s.Batches() {
		events = append(events, b.Events...)
	}
	return events
}

// Await returns the first event that matches, and waits for it as long as the context allows.
func (s *AuditSink) Await(ctx context.Context, match func(AuditEvent) bool) (AuditEvent, error) {
	for seen := 0; ; {
		s.mu.Lock()
		batches, changed := s.batches, s.changed
		s.mu.Unlock()
		for ; seen < len(batches); seen++ {
			for _, e := range batches[seen].Events {
				if match(e) {
					return e, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return AuditEvent{}, fmt.Errorf("no matching audit event in %d batches: %w", seen, context.Cause(ctx))
		case <-changed:
		}
	}
}

// ServeHTTP takes one batch.
func (s *AuditSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var list struct {
		Kind  string       `json:"kind"`
		Items []AuditEvent `json:"items"`
	}
	if err := json.NewDecoder(r.Body).Decode(&list); err != nil || list.Kind != "EventList" {
		http.Error(w, fmt.Sprintf("kind %q: %v", list.Kind, err), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.WriteHeader(s.status)
	if s.status != http.StatusOK {
		return
	}
	s.batches = append(s.batches, AuditBatch{Path: r.URL.Path, Events: list.Items})
	close(s.changed)
	s.changed = make(chan struct{})
}
