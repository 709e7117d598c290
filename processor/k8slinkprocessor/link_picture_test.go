// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// shown is a span that shows content of its object.
type shown struct {
	told
	snapshot string
	// diff is path to "old -> new".
	diff map[string]string
	// node makes it a Binding to that node.
	node    string
	version string
	failed  bool
}

// show makes a batch as receivers make them of spans that show content.
func show(spans ...shown) ptrace.Traces {
	batch := objectspan.NewBatch(window, "receiver", "")
	for i, s := range spans {
		span := s.appendTo(batch, i)
		if s.version != "" {
			span.Attributes().PutStr(attr.ObjectResourceVersion, s.version)
		}
		if s.failed {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
		if s.node != "" {
			span.Attributes().PutStr(attr.AuditSubresource, "binding")
			span.Attributes().PutStr(attr.NodeName, s.node)
		}
		if s.snapshot != "" {
			event := span.Events().AppendEmpty()
			event.SetName(attr.EventSnapshot)
			event.Attributes().PutStr(attr.SnapshotObject, s.snapshot)
		}
		if s.diff != nil {
			event := span.Events().AppendEmpty()
			event.SetName(attr.EventDiff)
			for path, change := range s.diff {
				event.Attributes().PutStr(path, change)
			}
		}
	}
	return batch.Traces()
}

// linkPicture lists link spans as a storage shows them that keeps one span of each ID:
// "pods/a (below deployments/web) node > nodes/n1 (below nodes/n1)"; < instead of > on the target's side. It checks what must
// be true of every link span.
func linkPicture(t *testing.T, batches ...ptrace.Traces) []string {
	t.Helper()
	type id struct {
		trace pcommon.TraceID
		span  pcommon.SpanID
	}
	objects := map[id]flatSpan{}
	for _, s := range flatten(batches...) {
		if s.spanType() == attr.SpanTypeObject {
			objects[id{s.TraceID(), s.SpanID()}] = s
		}
	}
	rootOf := func(s flatSpan) string {
		for !s.ParentSpanID().IsEmpty() {
			above, ok := objects[id{s.TraceID(), s.ParentSpanID()}]
			require.True(t, ok, "the object span above %s was not sent", s.Name())
			s = above
		}
		return s.Name()
	}
	lines := map[id]string{}
	for _, s := range flatten(batches...) {
		if s.spanType() != attr.SpanTypeLink {
			continue
		}
		here, ok := objects[id{s.TraceID(), s.ParentSpanID()}]
		require.True(t, ok, "a link span is under an object span")
		require.Equal(t, here.objectID(), s.objectID())
		require.Equal(t, 1, s.Links().Len())
		there, ok := objects[id{s.Links().At(0).TraceID(), s.Links().At(0).SpanID()}]
		require.True(t, ok, "the object span that a link leads to was sent")
		require.Equal(t, there.objectID(), text(s.Attributes(), attr.LinkTargetID))
		require.Equal(t, there.Name(), text(s.Attributes(), attr.LinkTargetResource)+"/"+text(s.Attributes(), attr.LinkTargetName))
		require.Equal(t, text(there.resource, attr.ClusterName), text(s.Attributes(), attr.LinkTargetCluster))
		role := text(s.Attributes(), attr.LinkRole)
		require.Equal(t, role, s.Name())
		require.Equal(t, identity.LinkSpanID(s.TraceID(), objectIDOf(t, s.objectID()), objectIDOf(t, there.objectID()), role, text(s.Attributes(), attr.LinkClass)), s.SpanID())
		require.Equal(t, here.StartTimestamp(), s.StartTimestamp())
		require.Equal(t, here.EndTimestamp(), s.EndTimestamp())
		arrow := map[string]string{attr.LinkForward: ">", attr.LinkBackward: "<"}[text(s.Attributes(), attr.LinkDirection)]
		line := fmt.Sprintf("%s (below %s) %s %s %s (below %s)", here.Name(), rootOf(here), role, arrow, there.Name(), rootOf(there))
		if start := s.StartTimestamp().AsTime(); !start.Equal(noon) {
			line += start.Format(" 15:04")
		}
		lines[id{s.TraceID(), s.SpanID()}] = line
	}
	var all []string
	for _, line := range lines {
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

func objectIDOf(t *testing.T, text string) (id identity.ID) {
	t.Helper()
	_, err := fmt.Sscanf(text, "%x", (*idBytes)(&id))
	require.NoError(t, err)
	return id
}

type idBytes identity.ID

func (b *idBytes) Scan(state fmt.ScanState, _ rune) error {
	token, err := state.Token(true, nil)
	if err != nil {
		return err
	}
	for i := range b {
		if _, err := fmt.Sscanf(string(token[2*i:2*i+2]), "%02x", &b[i]); err != nil {
			return err
		}
	}
	return nil
}
