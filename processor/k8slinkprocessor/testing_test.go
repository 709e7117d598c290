// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

const window = identity.DefaultWindow

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func newTestEngine(tb testing.TB, change ...func(*Config)) *engine {
	cfg := createDefaultConfig().(*Config)
	for _, f := range change {
		f(cfg)
	}
	// To compile the default rules takes longer than all else that most tests do.
	usual := createDefaultConfig().(*Config)
	shared := reflect.DeepEqual(cfg.Links, usual.Links) && reflect.DeepEqual(cfg.Tags, usual.Tags)
	if shared {
		cfg.Links.Presets, cfg.Tags = nil, nil
	}
	require.NoError(tb, cfg.Validate())
	e, err := newEngine(cfg, "k8slink", "")
	require.NoError(tb, err)
	if shared {
		e.rules, err = defaultRules()
		require.NoError(tb, err)
	}
	return e
}

var defaultRules = sync.OnceValues(createDefaultConfig().(*Config).rules)

// run puts a batch through an engine whose next consumer accepts everything.
func run(e *engine, td ptrace.Traces) ptrace.Traces {
	b := attempt(e, td)
	e.accepted(b)
	b.release()
	return td
}

// attempt puts a batch through an engine, and does not tell it what became of it.
func attempt(e *engine, td ptrace.Traces) *batch {
	b, err := e.link(context.Background(), td)
	if err != nil {
		panic(err)
	}
	return b
}

func clone(td ptrace.Traces) ptrace.Traces {
	c := ptrace.NewTraces()
	td.CopyTo(c)
	return c
}

// resource describes an object of cluster "prod" and namespace "default", unless its type has none.
func resource(apiVersion, kind, name, uid string) objectspan.Resource {
	group, _ := identity.GroupVersion(apiVersion)
	r := objectspan.Resource{
		Object: identity.Object{
			Cluster: "prod", Group: group, Resource: kinds.GuessResource(kind), Namespace: "default", Name: name,
		},
		Kind: kind, APIVersion: apiVersion, UID: uid,
	}
	if t, ok := kinds.ByKind(group, kind); ok {
		r.Object.Resource = t.Resource
		if !t.Namespaced {
			r.Namespace = ""
		}
	}
	return r
}

func deployment(name string) objectspan.Resource {
	return resource("apps/v1", "Deployment", name, "uid-"+name)
}

func replicaSet(name string) objectspan.Resource {
	return resource("apps/v1", "ReplicaSet", name, "uid-"+name)
}
func pod(name string) objectspan.Resource { return resource("v1", "Pod", name, "uid-"+name) }

// controlledBy makes the attribute that an object under one controller has.
func controlledBy(owner objectspan.Resource) string {
	ref := reference(owner)
	ref.Controller = true
	return identity.FormatOwners([]identity.OwnerReference{ref})
}

func reference(owner objectspan.Resource) identity.OwnerReference {
	return identity.OwnerReference{APIVersion: owner.APIVersion, Kind: owner.Kind, Name: owner.Name, UID: owner.UID}
}

// told is a span as a receiver makes it. An empty owners means that the source does not tell.
type told struct {
	on     objectspan.Resource
	name   string
	at     time.Time
	owners string
	dryRun bool
}

// receive makes a batch as receivers make them.
func receive(spans ...told) ptrace.Traces {
	batch := objectspan.NewBatch(window, "receiver", "")
	for i, s := range spans {
		s.appendTo(batch, i)
	}
	return batch.Traces()
}

// appendTo adds the span to a batch, by default some seconds after noon.
func (s *told) appendTo(batch *objectspan.Batch, seconds int) ptrace.Span {
	if s.at.IsZero() {
		s.at = noon.Add(time.Duration(seconds) * time.Second)
	}
	span := batch.Append(s.on, attr.SpanTypeAudit, s.at, s.at.Add(time.Millisecond))
	span.SetSpanID(identity.AuditSpanID(span.TraceID(), s.name+s.at.String(), identity.AuditComplete))
	span.SetName(s.name)
	if s.owners != "" {
		span.Attributes().PutStr(attr.Owners, s.owners)
	}
	if s.dryRun {
		span.Attributes().PutBool(attr.AuditDryRun, true)
	}
	return span
}

// flatSpan is a span with what matters of its resource.
type flatSpan struct {
	ptrace.Span
	resource pcommon.Map
}

func flatten(batches ...ptrace.Traces) []flatSpan {
	var all []flatSpan
	for _, td := range batches {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					all = append(all, flatSpan{span, rs.Resource().Attributes()})
				}
			}
		}
	}
	return all
}

func (s flatSpan) spanType() string { return text(s.Attributes(), attr.SpanType) }
func (s flatSpan) objectID() string { return text(s.resource, attr.ObjectID) }

// idTriple is a span's place in the world.
type idTriple struct {
	trace        pcommon.TraceID
	span, parent pcommon.SpanID
}

func triples(batches ...ptrace.Traces) map[idTriple]int {
	set := map[idTriple]int{}
	for _, s := range flatten(batches...) {
		set[idTriple{s.TraceID(), s.SpanID(), s.ParentSpanID()}]++
	}
	return set
}

func idPairs(batches ...ptrace.Traces) map[idTriple]bool {
	set := map[idTriple]bool{}
	for _, s := range flatten(batches...) {
		set[idTriple{trace: s.TraceID(), span: s.SpanID()}] = true
	}
	return set
}

// picture draws batches as a storage shows them that keeps one span of each ID: every trace as a tree.
func picture(batches ...ptrace.Traces) string {
	type node struct {
		line   string
		parent pcommon.SpanID
	}
	traces := map[pcommon.TraceID]map[pcommon.SpanID]node{}
	for _, s := range flatten(batches...) {
		if traces[s.TraceID()] == nil {
			traces[s.TraceID()] = map[pcommon.SpanID]node{}
		}
		line := s.Name()
		if s.spanType() == attr.SpanTypeObject {
			if cluster := text(s.resource, attr.ClusterName); cluster != "prod" {
				line += " of " + cluster
			}
			if start := s.StartTimestamp().AsTime(); !start.Equal(noon) {
				line += start.Format(" 15:04")
			}
		}
		for _, link := range s.Links().All() {
			line += fmt.Sprintf(" -> %s/%s", link.TraceID(), link.SpanID())
		}
		traces[s.TraceID()][s.SpanID()] = node{line, s.ParentSpanID()}
	}

	var drawings []string
	for _, spans := range traces {
		var drawing strings.Builder
		var draw func(parent pcommon.SpanID, indent string)
		draw = func(parent pcommon.SpanID, indent string) {
			var children []pcommon.SpanID
			for id, n := range spans {
				_, here := spans[n.parent]
				if n.parent == parent || (parent.IsEmpty() && !here) {
					children = append(children, id)
				}
			}
			slices.SortFunc(children, func(a, b pcommon.SpanID) int {
				return strings.Compare(spans[a].line+"\x00"+a.String(), spans[b].line+"\x00"+b.String())
			})
			for _, id := range children {
				line := spans[id].line
				if parent.IsEmpty() && !spans[id].parent.IsEmpty() {
					line = "(lost) " + line
				}
				drawing.WriteString(indent + line + "\n")
				draw(id, indent+"  ")
			}
		}
		draw(pcommon.SpanID{}, "")
		drawings = append(drawings, drawing.String())
	}
	slices.Sort(drawings)
	return strings.Join(drawings, "\n")
}
