// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/diffjoin"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/joins"
)

// joining is what a batch has to do with joins.
type joining struct {
	changes []joins.Change
	// joined are the changes whose diffs went onto audit spans of the batch.
	joined []changeKey
}

type changeKey struct {
	object identity.ID
	span   pcommon.SpanID
}

// join puts the diffs that watches saw onto the audit spans of the requests that made the changes. It waits for nothing:
// an audit span that comes before the change goes on without it.
func (b *batch) join() {
	table := b.engine.joins
	if table == nil {
		return
	}
	b.eachOfType(attr.SpanTypeWatch, func(object identity.ID, uid string, span ptrace.Span) {
		if c, diff, ok := diffjoin.ReadChange(span); ok {
			c.UID = uid
			b.joining.changes = append(b.joining.changes, joins.Change{Object: object, Change: c, Diff: diff})
		}
	})
	if len(b.joining.changes) == 0 && table.Idle() {
		return
	}
	var requests []joins.Request
	var spans []ptrace.Span
	b.eachOfType(attr.SpanTypeAudit, func(object identity.ID, uid string, span ptrace.Span) {
		if r, ok := diffjoin.ReadRequest(span); ok {
			r.UID = uid
			requests = append(requests, joins.Request{Object: object, Request: r})
			spans = append(spans, span)
		}
	})
	found, late := table.Join(b.engine.clock(), b.joining.changes, requests)
	b.stats.joins.late = int64(late)
	for i := range found {
		b.stats.joins.count(found[i].Join)
		if found[i].Join > diffjoin.Ambiguous && putJoin(spans[i], &found[i]) {
			b.joining.joined = append(b.joining.joined, changeKey{requests[i].Object, found[i].Change})
		}
	}
}

// eachOfType visits the spans that receivers made of a source.
func (b *batch) eachOfType(spanType string, visit func(object identity.ID, uid string, span ptrace.Span)) {
	begin := 0
	for i := range b.groups {
		g := &b.groups[i]
		for j := begin; j < g.end; j++ {
			if m := &b.members[j]; m.spanType == spanType {
				visit(g.node.ID, g.object.UID, m.span)
			}
		}
		begin = g.end
	}
}

// putJoin adds the diff to an audit span, unless it has one: from an attempt before this one, or from another k8slink. It
// is true if the span then has this diff.
func putJoin(span ptrace.Span, f *joins.Found) bool {
	how, version := attr.DiffJoinExact, ""
	if f.Join == diffjoin.Inferred {
		how, version = attr.DiffJoinInferred, f.Version
	}
	attrs := span.Attributes()
	if _, ok := diffjoin.Diff(span); ok {
		return text(attrs, attr.DiffJoin) == how && text(attrs, attr.DiffResourceVersion) == version
	}
	f.Diff.CopyTo(span.Events().AppendEmpty())
	attrs.PutStr(attr.DiffJoin, how)
	if version != "" {
		attrs.PutStr(attr.DiffResourceVersion, version)
	}
	return true
}

// joinStats counts joins by how they ended.
type joinStats struct {
	exact, inferred, ambiguous, late, spared int64
}

func (s *joinStats) count(j diffjoin.Join) {
	switch j {
	case diffjoin.Exact:
		s.exact++
	case diffjoin.Inferred:
		s.inferred++
	case diffjoin.Ambiguous:
		s.ambiguous++
	}
}
