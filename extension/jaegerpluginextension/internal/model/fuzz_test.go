// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// FuzzGraph: whatever was stored, a graph comes of it in which every way up ends, no entry is there twice, each life is
// among those of its owner, and that does not depend on the order.
func FuzzGraph(f *testing.F) {
	f.Add([]byte("0123456701234567"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x01\x00\x00\x00\x00\x02\x04\x00\x02\x09\x00\x10\x00"))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 8*40 {
			script = script[:8*40]
		}
		forth, back := NewGraph(Limits{}), NewGraph(Limits{})
		var batches []ptrace.Traces
		for rest := script; len(rest) >= 8; rest = rest[8:] {
			batches = append(batches, compose(rest[:8]))
		}
		for i := range batches {
			forth.Add(batches[i])
			back.Add(batches[len(batches)-1-i])
		}
		require.Equal(t, picture(forth), picture(back))

		seen := map[*Entry]bool{}
		var count func(entries []*Entry)
		count = func(entries []*Entry) {
			for _, e := range entries {
				require.False(t, seen[e])
				seen[e] = true
				require.LessOrEqual(t, e.Start, e.End)
				count(e.Children)
			}
		}
		for _, o := range forth.Objects() {
			require.NotEmpty(t, o.Lives)
			for i, life := range o.Lives {
				require.Equal(t, i+1, life.Number)
				require.LessOrEqual(t, life.Start, life.End)
				count(life.Entries)
				steps := 0
				for at := life; at != nil; at = at.OwnerLife {
					steps++
					require.LessOrEqual(t, steps, 1000)
				}
				if life.OwnerLife != nil {
					require.Contains(t, life.OwnerLife.Owned, life)
				}
			}
		}
		require.Len(t, seen, len(forth.entries)-forth.homeless)
	})
}

// compose makes a batch of one span from eight bytes. It takes liberties that no component would.
func compose(b []byte) ptrace.Traces {
	names := []string{"Deployment web u1", "Deployment web u2", "Deployment web", "ReplicaSet web-1 u3", "Pod a u4", "Pod b", "Widget w u5", "Node n"}
	kinds := []string{"", "audit", "event", "watch", "link", "foreign", "nonsense"}
	td := stored{on: names[b[0]%8]}.traces()
	rs := td.ResourceSpans().At(0)
	if b[0] > 200 {
		rs.Resource().Attributes().Clear()
	}
	span := rs.ScopeSpans().At(0).Spans().At(0)
	attrs := span.Attributes()
	attrs.Clear()
	if kind := kinds[b[1]%7]; kind == "" {
		attrs.PutStr(attr.SpanType, attr.SpanTypeObject)
	} else if kind != "foreign" {
		attrs.PutStr(attr.SpanType, kind)
	}
	span.SetName(string(b[:2]))
	span.SetTraceID(pcommon.TraceID{b[2] % 3})
	span.SetSpanID(pcommon.SpanID{b[3] % 16})
	span.SetParentSpanID(pcommon.SpanID{b[4] % 16})
	span.SetStartTimestamp(pcommon.Timestamp(b[5]) << (b[5] % 57))
	span.SetEndTimestamp(pcommon.Timestamp(b[6]) << (b[6] % 57))
	switch b[7] % 6 {
	case 0:
		attrs.PutStr(attr.Owners, "[]")
	case 1:
		attrs.PutStr(attr.Owners, owners(names[b[7]/6%8]))
		attrs.PutStr(attr.OwnersSeen, noon.Format("2006-01-02T15:04:05Z"))
	case 2:
		attrs.PutStr(attr.Owners, owners(names[b[7]/6%8]))
	case 3:
		attrs.PutStr(attr.Owners, string(b))
		attrs.PutStr(attr.OwnersSeen, "never")
	case 4:
		attrs.PutEmptySlice(attr.ObjectResourceVersion)
		attrs.PutStr(linkTargetID, "e726c07781d009")
		attrs.PutInt(linkRole, 7)
		attrs.PutInt(foldedCount, int64(b[6]))
	case 5:
		rs.Resource().Attributes().PutStr(attr.ObjectID, "0102030405060"+string(b[7]%2+'0'))
	}
	return td
}
