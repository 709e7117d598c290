// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// settle is how long a tree must not change to be called whole.
	settle = 2 * time.Second
	// actor is who acts in the recording: what the audit log tells, which is read last, has come.
	actor     = "alice"
	findLimit = time.Minute
)

// recordedAt returns when the first request of a recording arrived.
func recordedAt(path string) (time.Time, error) {
	file, err := os.Open(path)
	if err != nil {
		return time.Time{}, err
	}
	defer file.Close()
	lines, err := gzip.NewReader(file)
	if err != nil {
		return time.Time{}, err
	}
	var first struct {
		RequestReceivedTimestamp time.Time `json:"requestReceivedTimestamp"`
	}
	if err := json.NewDecoder(lines).Decode(&first); err != nil {
		return time.Time{}, fmt.Errorf("read its first event: %w", err)
	}
	return first.RequestReceivedTimestamp, nil
}

// cluster is the name that the recording's cluster has.
const cluster = "recorded"

// page is the address of the view of the Deployment with all that it owns, around a time.
func (o options) page(at time.Time) string {
	query := url.Values{
		"cluster": {cluster}, "group": {"apps"}, "resource": {"deployments"}, "namespace": {o.namespace}, "name": {o.name},
		"ts": {at.UTC().Format(time.RFC3339)}, "mode": {"tracing [full tree]"},
	}
	return "http://" + o.pages + "/trace?" + query.Encode()
}

// awaitTree returns what the address answers, once it no longer changes.
func awaitTree(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, findLimit, fmt.Errorf("no tree after %s at %s", findLimit, address))
	defer cancel()
	poll := time.NewTicker(settle / 4)
	defer poll.Stop()
	var tree string
	changed := time.Now()
	for {
		now, err := get(ctx, address)
		switch {
		case err != nil && ctx.Err() == nil:
			return "", err
		case now != tree:
			tree, changed = now, time.Now()
		case strings.Contains(tree, actor) && time.Since(changed) >= settle:
			return tree, nil
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-poll.C:
		}
	}
}

// get returns what an address answers, and nothing while that is 404.
func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return "", fmt.Errorf("read the answer of %s: %w", address, err)
	case response.StatusCode == http.StatusNotFound:
		return "", nil
	case response.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s answers %s: %s", address, response.Status, body)
	}
	return string(body), nil
}
