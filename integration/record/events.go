// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"slices"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// event is one line of the audit log.
type event struct {
	line []byte
	testbed.AuditEvent
}

func readEvents(path string) ([]event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []event
	err = testbed.ReadAuditLog(f, func(line []byte, e testbed.AuditEvent) error {
		events = append(events, event{line: bytes.Clone(line), AuditEvent: e})
		return nil
	})
	return events, err
}

// redact takes the bodies out of events whose bodies are credentials that worked somewhere.
func redact(events []event) error {
	for i, e := range events {
		if !carriesToken(e.AuditEvent) {
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(e.line, &fields); err != nil {
			return fmt.Errorf("event %s: %w", e.AuditID, err)
		}
		delete(fields, "requestObject")
		delete(fields, "responseObject")
		line, err := json.Marshal(fields)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.AuditID, err)
		}
		events[i].line = line
	}
	return nil
}

func carriesToken(e testbed.AuditEvent) bool {
	return e.ObjectRef.Subresource == "token" || e.ObjectRef.Resource == "tokenreviews"
}

// rename replaces the name of the machine, which kube-apiserver, the scheduler and kwok put into the names of their instances.
func rename(line []byte, host string) []byte {
	for _, form := range hostForms {
		line = bytes.ReplaceAll(line, fmt.Appendf(nil, form, host), fmt.Appendf(nil, form, renamed))
	}
	return line
}

const renamed = "control-plane"

// hostForms are how a host name stands in JSON, and in JSON within JSON: the whole of a value, its end or its beginning.
var hostForms = []string{`"%s"`, `-%s"`, `"%s_`, `"%s\"`, `-%s\"`}

// fit packs as many events as maxBytes allow. Leases, kube-apiserver's own requests and what has to do with no resource
// are thinned from the start: a young cluster has too many of them.
func fit(events []event, maxBytes int) (kept []event, packed []byte, err error) {
	for share := 1.0; share > 0.01; share *= 0.8 {
		kept = slices.DeleteFunc(slices.Clone(events), func(e event) bool { return !keep(e.AuditEvent, share) })
		if packed, err = pack(linesOf(kept)); err != nil {
			return nil, nil, err
		}
		if len(packed) <= maxBytes {
			return kept, packed, nil
		}
	}
	return nil, nil, fmt.Errorf("the events that must be kept alone take %d bytes, more than %d", len(packed), maxBytes)
}

// keep decides by the audit ID, so that the stages of a request stay together.
func keep(e testbed.AuditEvent, share float64) bool {
	switch {
	case e.User.Username == observer:
		return false
	case e.Writes() && slices.Contains(namespaces, e.ObjectRef.Namespace):
		return true
	case e.ObjectRef.Resource == "leases", e.ObjectRef.Resource == "":
		share *= 0.3
	case e.User.Username == "system:apiserver":
		share *= 0.2
	}
	h := fnv.New32a()
	h.Write([]byte(e.AuditID))
	return float64(h.Sum32())/(1<<32) < share
}

func linesOf(events []event) [][]byte {
	lines := make([][]byte, 0, len(events))
	for _, e := range events {
		lines = append(lines, e.line)
	}
	return lines
}

// pack has no name and no time in its header: the same lines give the same bytes.
func pack(lines [][]byte) ([]byte, error) {
	var b bytes.Buffer
	zip, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		if _, err := zip.Write(append(line, '\n')); err != nil {
			return nil, err
		}
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
