// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// FuzzLink: whatever comes in, every span that is no object span comes out, once, and a second attempt with the same
// data makes the same of it.
func FuzzLink(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x11\x11\x11\x11\x11\x11"))
	f.Add([]byte("\x01\x02\x10\x00\x01\x02\x02\x01\x10\x00\x00\x03\x23\x20\x20\x10\x01\x03"))
	for _, once := range []string{ // that found a mistake
		"\x00\xff\x00\x0070000000", "200200000B70210000", "00200\x1000200 ", "120170000A00100000", "100110000120110000",
		"&00#00C00&20C20220&10220",
	} {
		f.Add([]byte(once))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		td := compose(script)
		want := spanCounts([]ptrace.Traces{td})
		e := newTestEngine(t)
		attempt(e, td)
		require.Equal(t, want, spanCounts([]ptrace.Traces{td}))
		placed, all := spanPlaces([]ptrace.Traces{td}), triples(td)
		attempt(e, td)
		require.Equal(t, placed, spanPlaces([]ptrace.Traces{td}))
		// An object span may come anew: of an ancestor at the end of a chain that was cut, in the ancestor's own place.
		require.Subset(t, slices.Collect(maps.Keys(triples(td))), slices.Collect(maps.Keys(all)))
	})
}

// compose makes a batch from a script, six bytes a span. It takes liberties that no receiver would.
func compose(script []byte) ptrace.Traces {
	td := ptrace.NewTraces()
	for ; len(script) >= 6; script = script[6:] {
		object, life, source, owner, time, ids := script[0], script[1], script[2], script[3], script[4], script[5]
		r := composeObject(object)
		r.UID = []string{"", "x", "y"}[life%3]
		rs := td.ResourceSpans().AppendEmpty()
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName(string(script[:6]))
		span.SetTraceID(pcommon.TraceID{ids % 4})
		span.SetSpanID(pcommon.SpanID{ids / 4 % 8})
		span.SetParentSpanID(pcommon.SpanID{ids / 32})
		span.SetStartTimestamp([]pcommon.Timestamp{
			pcommon.NewTimestampFromTime(noon), pcommon.NewTimestampFromTime(noon) + 1, pcommon.NewTimestampFromTime(noon) - 1,
			0, math.MaxInt64 / 2, math.MaxUint64, math.MaxInt64, math.MaxInt64 + 1,
		}[time%8])
		switch source % 8 {
		case 0, 1:
			r.CopyTo(rs.Resource().Attributes())
			span.Attributes().PutStr(attr.SpanType, attr.SpanTypeAudit)
		case 2:
			r.CopyTo(rs.Resource().Attributes())
		case 3:
			r.CopyTo(span.Attributes())
		case 4:
			r.CopyTo(rs.Resource().Attributes())
			span.Attributes().PutStr(attr.SpanType, attr.SpanTypeObject)
		case 5: // placed by somebody who knows a root that is not in the batch
			r.CopyTo(rs.Resource().Attributes())
			span.Attributes().PutStr(attr.SpanType, attr.SpanTypeAudit)
			span.SetTraceID(identity.TraceID(pod("root").Object, window.Start(span.StartTimestamp().AsTime())))
			span.SetParentSpanID(identity.ObjectSpanID(span.TraceID(), identity.ObjectID(r.Object)))
		case 6:
			r.CopyTo(rs.Resource().Attributes())
			span.Attributes().PutStr(attr.SpanType, attr.SpanTypeObject)
			span.SetTraceID(identity.TraceID(pod("root").Object, window.Start(span.StartTimestamp().AsTime())))
			span.SetSpanID(identity.ObjectSpanID(span.TraceID(), identity.ObjectID(r.Object)))
		}
		switch other := composeObject(owner); owner % 16 {
		case 15:
		case 14:
			span.Attributes().PutStr(attr.Owners, "?")
		case 13:
			span.Attributes().PutStr(attr.Owners, "[]")
		default:
			other.UID = []string{"", "x", "y"}[owner/16%3]
			span.Attributes().PutStr(attr.Owners, controlledBy(other))
		}
	}
	return td
}

func composeObject(n byte) objectspan.Resource {
	switch n % 8 {
	case 0:
		return deployment("a")
	case 1:
		return replicaSet("a")
	case 2:
		return resource("v1", "Node", "a", "")
	case 3:
		return resource("example.com/v1", "Bus", "a", "")
	case 4:
		bus := resource("example.com/v1", "Bus", "b", "")
		bus.Object.Resource, bus.Namespace = "omnibuses", ""
		return bus
	default:
		return pod(string('a' + rune(n%8)))
	}
}
