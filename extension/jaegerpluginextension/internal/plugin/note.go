// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"

import (
	"errors"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

const (
	// attrWarnings is what Jaeger's page shows as notes on a span.
	attrWarnings = "@jaeger@warnings"
	// attrHostID keeps Jaeger from correcting clocks, if all spans of a trace have the same.
	attrHostID = "host.id"

	// noteMode is the display mode in the IDs of notes: there is none with this number.
	noteMode = 0xffffffff
	noteName = "kelemetry"
	maxTitle = 200
	// maxText is how long the texts of a note are: they repeat what was asked for.
	maxText = 2000
	// maxNotes is how many notes can be opened: newer pages of Jaeger show nothing but the name of a result until it is.
	maxNotes = 128
)

// notes keeps the last ones, for a page that opens them. They are nowhere else.
type notes struct {
	mu   sync.Mutex // guards last
	last *simplelru.LRU[pcommon.TraceID, ptrace.Traces]
}

// keep returns the note, of which it keeps a copy.
func (n *notes) keep(td ptrace.Traces) ptrace.Traces {
	root, _ := rootOf(td)
	kept := ptrace.NewTraces()
	td.CopyTo(kept)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil {
		n.last, _ = simplelru.NewLRU[pcommon.TraceID, ptrace.Traces](maxNotes, nil) // it fails for no size only
	}
	n.last.Add(root.TraceID(), kept)
	return td
}

// get returns a copy.
func (n *notes) get(id pcommon.TraceID) (td ptrace.Traces, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil {
		return td, false
	}
	kept, ok := n.last.Get(id)
	if !ok {
		return td, false
	}
	td = ptrace.NewTraces()
	kept.CopyTo(td)
	return td, true
}

// explain is a trace that says why a search found nothing.
func explain(q jaegerstorage.Query, err error) ptrace.Traces {
	text := collect.Reason(err)
	switch {
	case errors.Is(err, jaegerstorage.ErrInvalid):
		text = strings.TrimPrefix(text, jaegerstorage.ErrInvalid.Error()+": ")
		return note(q, "The search is not valid: "+text, text,
			"Service is a display mode, Operation a cluster. Tags are any of cluster, group, resource, kind, namespace, name and uid, or attributes of spans")
	case errors.Is(err, errBusy):
		return note(q, "The search could not begin: "+errBusy.Error(), errBusy.Error()+": try again, or raise limits::requests")
	default:
		return note(q, "The search failed: "+text, text, "The storage behind Kelemetry has to be looked at")
	}
}

// note is a trace of one span that has something to say. It stands among the results of a search, at the end of its time range.
func note(q jaegerstorage.Query, title string, warnings ...string) ptrace.Traces {
	at := q.StartMax
	if at.IsZero() {
		at = time.Now()
	}
	hash := fnv.New64a()
	hash.Write([]byte(title + strings.Join(warnings, "\n")))
	sum := hash.Sum(nil)
	d, _ := identity.NewDisplay(noteMode, identity.ID(sum[:7]), at.Add(-identity.DisplayUnit), at)

	td := ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr(attr.ServiceName, noteName)
	resource.Resource().Attributes().PutStr(attrHostID, noteName)
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(d.TraceID())
	span.SetSpanID(pcommon.SpanID(sum))
	span.SetName(cut(title, maxTitle))
	span.SetKind(ptrace.SpanKindInternal)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-time.Millisecond)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at))
	span.Status().SetCode(ptrace.StatusCodeError)
	warn(td, warnings...)
	return td
}

func cut(text string, atMost int) string {
	if len(text) <= atMost {
		return text
	}
	return strings.ToValidUTF8(text[:atMost], "") + "…"
}

// warn adds notes to the root of a view.
func warn(td ptrace.Traces, texts ...string) {
	root, _ := rootOf(td)
	value, ok := root.Attributes().Get(attrWarnings)
	if !ok || value.Type() != pcommon.ValueTypeSlice {
		value = root.Attributes().PutEmpty(attrWarnings)
		value.SetEmptySlice()
	}
	for _, text := range texts {
		value.Slice().AppendEmpty().SetStr(cut(text, maxText))
	}
}

// rootOf is the span that has no parent, and the name of its service. For a trace without spans it is an empty span.
func rootOf(td ptrace.Traces) (root ptrace.Span, service string) {
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if span.ParentSpanID().IsEmpty() {
					return span, serviceOf(resource)
				}
			}
		}
	}
	return ptrace.NewSpan(), ""
}

func serviceOf(resource ptrace.ResourceSpans) string {
	if name, ok := resource.Resource().Attributes().Get(attr.ServiceName); ok {
		return name.AsString()
	}
	return "unknown"
}
