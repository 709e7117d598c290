// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

var hello = &storagetest.Object{Object: identity.Object{Cluster: "prod", Group: "apps", Resource: "deployments", Namespace: "default", Name: "hello"}}

// requests returns a graph with so many requests, a second apart, and a storage with two spans of the API server for each.
func requests(t *testing.T, n int) (*model.Graph, *storagetest.Store) {
	t.Helper()
	var own, other storagetest.Store
	for i := range n {
		start := at.Add(time.Duration(i) * time.Second)
		own.Happen(start, hello, attr.SpanTypeAudit, "request "+strconv.Itoa(i), map[string]any{attr.AuditID: "a-" + strconv.Itoa(i)})
		td := ptrace.NewTraces()
		resource := td.ResourceSpans().AppendEmpty()
		resource.Resource().Attributes().PutStr(attr.ServiceName, "apiserver")
		spans := resource.ScopeSpans().AppendEmpty().Spans()
		for j, name := range []string{"PATCH", "etcd"} {
			span := spans.AppendEmpty()
			span.SetTraceID(pcommon.TraceID{byte(i), 1})
			span.SetSpanID(pcommon.SpanID{byte(i), byte(j + 1)})
			span.SetName(name)
			span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
			span.SetEndTimestamp(pcommon.NewTimestampFromTime(start))
		}
		spans.At(0).Attributes().PutStr("audit-id", "a-"+strconv.Itoa(i))
		spans.At(1).SetParentSpanID(spans.At(0).SpanID())
		other.Add(td)
	}
	own.Happen(at, hello, attr.SpanTypeEvent, "without an audit ID", nil)
	graph := model.NewGraph(model.Limits{})
	for _, id := range own.TraceIDs() {
		for td, err := range own.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: id}}) {
			require.NoError(t, err)
			graph.Add(td)
		}
	}
	return graph, &other
}

func tracer(t *testing.T, store *storagetest.Store) *Tracer {
	t.Helper()
	template, err := ParseTemplate("{k8s.audit.id}")
	require.NoError(t, err)
	return &Tracer{
		Name: "apiserver", Source: &Storage{Reader: store, Service: "apiserver", Tags: map[string]Template{"audit-id": template}},
		Limits: Limits{Queries: 10, Traces: 2, Spans: 100, Concurrency: 2, Timeout: time.Minute},
	}
}

func extend(t *testing.T, tr *Tracer, graph *model.Graph) (left int) {
	t.Helper()
	return tr.Extend(t.Context(), graph, []identity.ID{hello.ID()}, at, at.Add(time.Hour))
}

// below describes the spans below each entry.
func below(t *testing.T, graph *model.Graph) map[string]string {
	t.Helper()
	object, ok := graph.Object(hello.ID())
	require.True(t, ok)
	all := map[string]string{}
	for _, entry := range object.Lives[0].Entries {
		for _, child := range entry.Children {
			require.Len(t, child.Children, 1)
			all[entry.Span.Name()] += child.Span.Name() + " > " + child.Children[0].Span.Name()
		}
	}
	return all
}

func TestSpansArePutBelowTheirRequest(t *testing.T) {
	graph, store := requests(t, 2)
	assert.Zero(t, extend(t, tracer(t, store), graph))
	assert.Equal(t, map[string]string{"request 0": "PATCH > etcd", "request 1": "PATCH > etcd"}, below(t, graph))
	assert.Empty(t, graph.Warnings())
	for _, q := range store.Queries() {
		assert.Equal(t, "apiserver", q.Service)
		assert.Equal(t, 2, q.Limit)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Tracer, *storagetest.Store)
		want   map[string]string
		text   string
	}{
		"too many entries": {
			func(tr *Tracer, _ *storagetest.Store) { tr.Limits.Queries = 1 },
			map[string]string{"request 2": "PATCH > etcd"},
			"looked up for the newest 1 entries only, and not for 2 more",
		},
		"too many spans": {
			func(tr *Tracer, _ *storagetest.Store) { tr.Limits.Spans = 4 },
			map[string]string{"request 2": "PATCH > etcd", "request 1": "PATCH > etcd"},
			"a view has at most 4 of them",
		},
		"the storage is down": {
			func(_ *Tracer, s *storagetest.Store) {
				s.Before = func(context.Context, string, string) error { return errors.New("down") }
			},
			map[string]string{},
			"spans of apiserver are missing for 3 entries: down",
		},
		"the storage is slow": {
			func(tr *Tracer, s *storagetest.Store) {
				tr.Limits.Timeout = time.Millisecond
				s.Before = func(ctx context.Context, _, _ string) error {
					<-ctx.Done()
					return ctx.Err()
				}
			},
			map[string]string{},
			"it took too long",
		},
	} {
		t.Run(name, func(t *testing.T) {
			graph, store := requests(t, 3)
			tr := tracer(t, store)
			test.change(tr, store)
			assert.Positive(t, extend(t, tr, graph))
			assert.Equal(t, test.want, below(t, graph))
			assert.Contains(t, strings.Join(graph.Warnings(), "\n"), test.text)
		})
	}
}

func TestOnlyTheTimeRangeIsAskedFor(t *testing.T) {
	graph, store := requests(t, 3)
	tracer(t, store).Extend(t.Context(), graph, []identity.ID{hello.ID(), {1}}, at.Add(time.Second), at.Add(2*time.Second))
	assert.Equal(t, map[string]string{"request 1": "PATCH > etcd"}, below(t, graph))
}

func TestTemplates(t *testing.T) {
	span, resource := pcommon.NewMap(), pcommon.NewMap()
	span.PutInt("n", 7)
	span.PutStr("empty", "")
	resource.PutStr("cluster", "prod")
	for text, want := range map[string]string{"{n}": "7", "a {cluster}/{n} b": "a prod/7 b", "{missing}": "", "{empty}": ""} {
		template, err := ParseTemplate(text)
		require.NoError(t, err)
		got, ok := template.Fill(span, resource)
		assert.Equal(t, want, got, text)
		assert.Equal(t, want != "", ok, text)
	}
	for _, text := range []string{"", "text", "{", "{}", "{a", "a}", "{a}}", "{{a}"} {
		_, err := ParseTemplate(text)
		assert.Error(t, err, text)
	}
}
