// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package storedtest // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// Things are the objects that Compose makes spans of.
var Things = []string{
	"Deployment web u1", "Deployment web u2", "Deployment web", "ReplicaSet web-1 u3", "Pod a u4", "Pod b", "Widget w u5 @other", "Node n",
}

// SpanBytes is how many bytes Compose needs for a span.
const SpanBytes = 8

// Compose makes batches of one span each from bytes. It takes liberties that no component would: parents and owners in
// circles, times out of order, the same ID twice, and attributes of the wrong type.
func Compose(script []byte) (batches []ptrace.Traces) {
	for b := range slices.Chunk(script, SpanBytes) {
		if len(b) == SpanBytes {
			batches = append(batches, compose(b))
		}
	}
	return batches
}

func compose(b []byte) ptrace.Traces {
	kinds := []string{"", "audit", "event", "watch", "link", Foreign, "nonsense"}
	td := Span{On: Things[b[0]%8]}.Traces()
	rs := td.ResourceSpans().At(0)
	if b[0] > 240 {
		rs.Resource().Attributes().Clear()
	}
	span := rs.ScopeSpans().At(0).Spans().At(0)
	attrs := span.Attributes()
	attrs.Clear()
	if kind := kinds[b[1]%7]; kind == "" {
		attrs.PutStr(attr.SpanType, attr.SpanTypeObject)
	} else if kind != Foreign {
		attrs.PutStr(attr.SpanType, kind)
	}
	span.SetName(string(b[:2]))
	span.SetTraceID(pcommon.TraceID{b[2] % 3})
	span.SetSpanID(pcommon.SpanID{b[3] % 16})
	span.SetParentSpanID(pcommon.SpanID{b[4] % 16})
	span.SetStartTimestamp(pcommon.Timestamp(b[5]) << (b[5] % 57))
	span.SetEndTimestamp(pcommon.Timestamp(b[6]) << (b[6] % 57))
	composeDetails(rs, span, b)
	return td
}

func composeDetails(rs ptrace.ResourceSpans, span ptrace.Span, b []byte) {
	attrs, other := span.Attributes(), Things[b[7]/7%8]
	switch b[7] % 7 {
	case 0:
		attrs.PutStr(attr.Owners, "[]")
	case 1:
		attrs.PutStr(attr.Owners, Owners(other))
		attrs.PutStr(attr.OwnersSeen, Noon.Format("2006-01-02T15:04:05Z"))
	case 2:
		attrs.PutStr(attr.Owners, Owners(other))
	case 3:
		attrs.PutStr(attr.Owners, string(b))
		attrs.PutStr(attr.OwnersSeen, "never")
	case 4:
		target := Thing(other)
		attrs.PutStr(attr.LinkTargetID, ID(other).String())
		attrs.PutStr(attr.LinkTargetUID, target.UID)
		attrs.PutStr(attr.LinkRole, []string{"parent", "child", "uses"}[b[6]%3])
		attrs.PutStr(attr.LinkClass, []string{"", "audit"}[b[5]%2])
		attrs.PutInt(attr.FoldedCount, int64(b[6]))
	case 5:
		rs.Resource().Attributes().PutStr(attr.ObjectID, "0102030405060"+string(b[7]%2+'0'))
	case 6:
		attrs.PutStr(attr.ObjectResourceVersion, string(b[6]%2+'0'))
		attrs.PutEmptyMap(attr.AuditVerb)
		attrs.PutStr("k8s.node.name", "\x1b[2J")
		attrs.PutStr(attr.WatchManagers, "x")
		link := span.Links().AppendEmpty()
		link.SetSpanID(pcommon.SpanID{b[6] % 16})
		for _, name := range []string{attr.EventDiff, attr.EventSnapshot, attr.EventMessage} {
			e := span.Events().AppendEmpty()
			e.SetName(name)
			e.SetTimestamp(pcommon.Timestamp(b[5]))
			e.Attributes().PutStr("metadata.managedFields[0]", "null -> {}")
			e.Attributes().PutStr("spec", string(b)+" -> null -> null")
			e.Attributes().PutStr("object", `{"metadata":{"managedFields":[]}`)
			e.Attributes().PutInt("message", 1)
		}
	}
}
