// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// span is an exported span with its resource's attributes.
type span struct {
	ptrace.Span
	resource pcommon.Map
}

// ids tell one stored span from another.
type ids struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

func (s span) ids() ids { return ids{s.TraceID(), s.SpanID()} }

func (s span) attribute(key string) string { return text(s.Attributes(), key) }

func (s span) object() string {
	return text(s.resource, attr.ObjectResource) + "/" + text(s.resource, attr.ObjectName)
}

func (s span) namespace() string { return text(s.resource, attr.Namespace) }

func (s span) isObject() bool { return s.attribute(attr.SpanType) == attr.SpanTypeObject }

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}

// exported reads what the file exporter has written so far, whole lines only.
func exported(t *testing.T, path string) []span {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	var all []span
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(lines.Bytes())
		require.NoError(t, err)
		for _, rs := range traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					all = append(all, span{s, rs.Resource().Attributes()})
				}
			}
		}
	}
	require.NoError(t, lines.Err())
	return all
}

const patience = 90 * time.Second

// awaitExported waits until every audit ID has a span, and returns all spans.
func awaitExported(t *testing.T, path string, auditIDs map[string]bool) []span {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		all := exported(t, path)
		missing := make(map[string]bool, len(auditIDs))
		for id := range auditIDs {
			missing[id] = true
		}
		for _, s := range all {
			delete(missing, s.attribute(attr.AuditID))
		}
		if len(missing) == 0 {
			return all
		}
		select {
		case <-ctx.Done():
			require.Empty(t, missing, "audit IDs without a span after %s", patience)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
