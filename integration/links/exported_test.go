// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package links

import (
	"bytes"
	"os"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// span is an exported span with its resource's attributes.
type span struct {
	ptrace.Span
	resource pcommon.Map
}

type ids struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

func (s span) attribute(key string) string { return text(s.Attributes(), key) }

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}

// exported reads what the file exporter has written so far, whole lines only.
func exported(t require.TestingT, path string) []span {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	var all []span
	for line := range bytes.Lines(data[:bytes.LastIndexByte(data, '\n')+1]) {
		traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(line)
		require.NoError(t, err)
		for _, rs := range traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					all = append(all, span{s, rs.Resource().Attributes()})
				}
			}
		}
	}
	return all
}
