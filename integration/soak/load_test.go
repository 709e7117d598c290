// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	perBatch   = 100
	perSecond  = 2000
	objects    = 1000 // that the events are about
	loadPrefix = "load-"
)

// load sends events as an API server does, and remembers those that were acknowledged.
type load struct {
	url    string
	client *http.Client
	began  time.Time
	filler string

	mu           sync.Mutex
	changed      chan struct{} // closed and replaced with each answer
	acknowledged []bool        // by the number of the event
	accepted     int           // events that were answered with 200
	refused      int           // events that were answered with anything else
	lost         int           // events without an answer
}

// newLoad makes a load of events with bodies of some bytes each.
func newLoad(url string, body int) *load {
	return &load{
		url: url, client: &http.Client{Transport: &http.Transport{}}, began: time.Now(), filler: strings.Repeat("x", body), changed: make(chan struct{}),
	}
}

// run sends batches at the rate above until the context ends.
func (l *load) run(ctx context.Context) {
	defer l.client.CloseIdleConnections()
	every := time.NewTicker(time.Second * perBatch / perSecond)
	defer every.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		l.mu.Lock()
		first := len(l.acknowledged)
		l.acknowledged = append(l.acknowledged, make([]bool, perBatch)...)
		l.mu.Unlock()
		status, err := l.post(ctx, l.batch(first))
		l.answered(first, status, err)
	}
}

func (l *load) batch(first int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`)
	for i := first; i < first+perBatch; i++ {
		if i > first {
			b.WriteByte(',')
		}
		at := l.began.Add(time.Duration(i) * time.Microsecond).UTC().Format("2006-01-02T15:04:05.000000Z")
		fmt.Fprintf(&b, `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"%s%d","stage":"ResponseComplete",`+
			`"verb":"patch","requestURI":"/x","user":{"username":"alice"},`+
			`"objectRef":{"resource":"widgets","namespace":"default","name":"w%[3]d","apiVersion":"v1","apiGroup":"example.com"},`+
			`"responseStatus":{"code":200},"requestReceivedTimestamp":%[4]q,"stageTimestamp":%[4]q,"requestObject":{"spec":{"size":%[2]d}},`+
			`"responseObject":{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w%[3]d","namespace":"default","resourceVersion":"%[2]d"},`+
			`"spec":{"size":%[2]d,"filler":%[5]q}}}`, loadPrefix, i, i%objects, at, l.filler)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// post returns the status, or the error that kept the answer away.
func (l *load) post(ctx context.Context, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := l.client.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	return response.StatusCode, err
}

func (l *load) answered(first, status int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.lost += perBatch
	case status != http.StatusOK:
		l.refused += perBatch
	default:
		l.accepted += perBatch
		for i := first; i < first+perBatch; i++ {
			l.acknowledged[i] = true
		}
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// counts returns how many events were accepted, refused, and sent without an answer.
func (l *load) counts() (accepted, refused, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted, l.refused, l.lost
}

// await waits until a condition on the counts holds.
func (l *load) await(ctx context.Context, holds func(accepted, refused, lost int) bool) error {
	for {
		l.mu.Lock()
		met, changed := holds(l.accepted, l.refused, l.lost), l.changed
		l.mu.Unlock()
		if met {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}

// number of the event with this audit ID; false if it is none of the load's.
func number(auditID string) (int, bool) {
	text, ok := strings.CutPrefix(auditID, loadPrefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
