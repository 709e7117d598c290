// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/search"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// newPlugin makes a plugin as the extension does, on a storage in memory.
func newPlugin(tb testing.TB, store jaegerstorage.Reader) *Plugin {
	tb.Helper()
	modes, err := mode.NewSet(mode.DefaultConfig())
	require.NoError(tb, err)
	clusters := ClustersOf(store, nil)
	limits := view.Limits{MaxObjects: 1000, MaxLinked: 50, MaxEntries: 10_000}
	leftOut := func(context.Context, string, int) {}
	window := time.Duration(identity.DefaultWindow)
	return &Plugin{
		Storage: store, Clusters: clusters, Modes: modes, Limits: limits,
		Collect: &collect.Collector{
			Storage: store, Clusters: clusters, Window: window, LeftOut: leftOut,
			Limits: collect.Limits{Traces: 200, Spans: 50_000, Objects: 50, View: limits, Concurrency: 4},
		},
		Search: &search.Finder{
			Storage: store, Clusters: clusters, Window: window, LeftOut: leftOut,
			Limits: search.Limits{Traces: 500, Spans: 50_000, Concurrency: 4},
		},
		Lookback: time.Hour, MaxResults: 100, Concurrency: 4, Slots: make(chan struct{}, 2), Sending: make(chan struct{}, 4), Timeout: 10 * time.Second,
		Observe: func(context.Context, Kind, Outcome, time.Duration) {},
	}
}

// Open returns the view that a display ID names.
func (p *Plugin) Open(ctx context.Context, id pcommon.TraceID) (td ptrace.Traces, err error) {
	v, ok := p.named(id)
	if !ok {
		return td, collect.ErrNotFound
	}
	err = p.View(ctx, v, func(made ptrace.Traces) { td = made })
	return td, err
}

func query(w *storagetest.World, service, operation string, tags map[string]any) jaegerstorage.Query {
	q := jaegerstorage.NewQuery()
	q.Service, q.Operation = service, operation
	q.StartMin, q.StartMax = w.Start.Add(-time.Hour), w.Start.Add(time.Hour)
	if err := q.Attributes.FromRaw(tags); err != nil {
		panic(err) // the test is wrong
	}
	return q
}

func collectAll(t *testing.T, found iter.Seq2[ptrace.Traces, error]) (all []ptrace.Traces) {
	t.Helper()
	for td, err := range found {
		require.NoError(t, err)
		all = append(all, td)
	}
	return all
}

// names lists the spans of a view, roots first, without the times that the root's name ends in.
func names(td ptrace.Traces) (all []string) {
	children := map[pcommon.SpanID][]ptrace.Span{}
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				children[span.ParentSpanID()] = append(children[span.ParentSpanID()], span)
			}
		}
	}
	var visit func(span ptrace.Span, indent string)
	visit = func(span ptrace.Span, indent string) {
		name, _, _ := strings.Cut(span.Name(), " ")
		all = append(all, indent+name)
		for _, child := range children[span.SpanID()] {
			visit(child, indent+"  ")
		}
	}
	for _, root := range children[pcommon.SpanID{}] {
		visit(root, "")
	}
	return all
}

func warningsOf(td ptrace.Traces) string {
	root, _ := rootOf(td)
	if v, ok := root.Attributes().Get(attrWarnings); ok {
		return v.AsString()
	}
	return ""
}

// found describes results by the clusters and names of their objects.
func found(all []ptrace.Traces) (described []string) {
	for _, td := range all {
		root, _ := rootOf(td)
		cluster := ""
		for _, resource := range td.ResourceSpans().All() {
			if resource.ScopeSpans().At(0).Spans().At(0).SpanID() == root.SpanID() {
				if v, ok := resource.Resource().Attributes().Get("k8s.cluster.name"); ok {
					cluster = v.AsString()
				}
			}
		}
		described = append(described, cluster+" "+names(td)[0])
	}
	return described
}
