// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
)

// Two processes look at one cluster, under a name each: with everything, and without the audit log as on a managed cluster.
const audited, managed = "prod", "managed"

// TestAllSourcesMeetOnTheObject runs config-examples/all-sources.yaml as it is, and beside it without the audit log. The trace of
// each root tells who asked, what controllers said, and what changed by whom; each once.
func TestAllSourcesMeetOnTheObject(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	webhook, auditLog := testbed.FreeAddress(t), filepath.Join(t.TempDir(), "audit.log")
	cluster := testbed.ForTest(t, testbed.Options{Pods: testbed.PodsFast, Audit: testbed.Audit{
		Webhook: testbed.AuditWebhook{URL: "http://" + webhook + "/audit", InitialBackoff: time.Second}, Log: testbed.AuditLog{Path: auditLog},
	}})
	require.NoError(t, testbed.DefineShops(t.Context(), cluster.Alice))
	startAllSources(t, cluster, jaeger, "KELEMETRY_CLUSTER="+audited, "KELEMETRY_WEBHOOK="+webhook)
	startWithoutAudit(t, cluster, jaeger)

	begun := time.Now()
	var acting sync.WaitGroup
	for i := range stories {
		acting.Go(func() {
			s := &stories[i]
			assert.NoError(t, cluster.CreateNamespace(t.Context(), cluster.Alice, s.namespace()))
			assert.NoError(t, s.act(t.Context(), cluster, s.namespace()), s.name)
		})
	}
	acting.Wait()
	require.False(t, t.Failed())
	t.Logf("all that happens takes %s", time.Since(begun))

	for i := range stories {
		s := &stories[i]
		t.Run(s.name, func(t *testing.T) {
			for j := range s.tales {
				for _, name := range []string{audited, managed} {
					tale := s.tales[j].in(name, s.namespace())
					t.Run(tale.root.SpanName()+" of "+name, func(t *testing.T) {
						require.EventuallyWithT(t, func(c *assert.CollectT) { requireTold(t, c, jaeger, tale) }, patience, 500*time.Millisecond)
					})
				}
			}
		})
	}
	t.Run("every write that the API server logged is told once", func(t *testing.T) {
		b := &bed{Cluster: cluster, t: t, auditLog: auditLog, jaeger: jaeger}
		for i := range stories {
			b.requireEveryWriteOnceInJaeger(stories[i].namespace())
		}
	})
}

func startAllSources(t *testing.T, cluster *testbed.Cluster, jaeger *testbed.Jaeger, env ...string) {
	t.Helper()
	startExample(t, cluster, jaeger, nil, env...)
}

// startWithoutAudit runs the same without the audit log: as a user would write it who has none.
func startWithoutAudit(t *testing.T, cluster *testbed.Cluster, jaeger *testbed.Jaeger) {
	t.Helper()
	startExample(t, cluster, jaeger, []string{"service.pipelines.traces.receivers=[k8sevent,watch]"}, "KELEMETRY_CLUSTER="+managed)
}

func startExample(t *testing.T, cluster *testbed.Cluster, jaeger *testbed.Jaeger, set []string, env ...string) {
	t.Helper()
	collector.ForTest(t, collector.Options{
		Root: root, Ready: collector.Watching,
		Config: filepath.Join("config-examples", "all-sources.yaml"), Set: append(set, collector.NoMetrics),
		Env: append(env,
			"KUBECONFIG="+cluster.Kubeconfig, "JAEGER_OTLP="+jaeger.OTLPGRPC,
			"KELEMETRY_STATE="+filepath.Join(t.TempDir(), "state"), "KELEMETRY_HEALTH="+testbed.FreeAddress(t)),
	})
}

func (s *story) namespace() string { return "story-" + s.name }

// in is the tale of one cluster, with the names of its objects.
func (t tale) in(cluster, namespace string) tale {
	named := func(text string) string { return strings.ReplaceAll(text, "NS", namespace) }
	t.root.Cluster, t.root.Name = cluster, named(t.root.Name)
	if known, ok := kinds.ByResource(t.root.Group, t.root.Resource); !ok || known.Namespaced {
		t.root.Namespace = namespace
	}
	told := make([]saying, 0, len(t.told))
	for _, s := range t.told {
		if s.source == attr.SpanTypeAudit && cluster == managed {
			continue
		}
		s.object = named(s.object)
		s.diff = maps.Clone(s.diff)
		for path, change := range s.diff {
			s.diff[path] = named(change)
		}
		told = append(told, s)
	}
	t.told = told
	return t
}

// heard is a span and the object that it is under.
type heard struct {
	testbed.Span
	object string
}

func (h heard) diff() map[string]string {
	diff := map[string]string{}
	for _, log := range h.Logs {
		if log.Fields["event"] == attr.EventDiff {
			for path, change := range log.Fields {
				if text, ok := change.(string); ok && path != "event" {
					diff[path] = text
				}
			}
		}
	}
	return diff
}

func (s saying) is(h heard) bool {
	object, _ := path.Match(s.object, h.object)
	by, told := h.Tags[attr.WatchManagers].(string)
	if !object || h.Tags[attr.SpanType] != s.source || h.Operation != s.name {
		return false
	}
	if s.by == nobody && told || s.by != nobody && !strings.Contains(by, s.by) {
		return false
	}
	diff := h.diff()
	for path, change := range s.diff {
		if diff[path] != change {
			return false
		}
	}
	return s.diff == nil || s.some || len(diff) == len(s.diff)
}

func (s saying) String() string {
	text := fmt.Sprintf("%s: %s %s", s.object, s.source, s.name)
	if s.by != "" {
		text += " by " + s.by
	}
	for _, path := range slices.Sorted(maps.Keys(s.diff)) {
		text += fmt.Sprintf("; %s: %s", path, s.diff[path])
	}
	return text
}

func (h heard) String() string {
	by, _ := h.Tags[attr.WatchManagers].(string)
	source, _ := h.Tags[attr.SpanType].(string)
	return saying{object: h.object, source: source, name: h.Operation, by: by, diff: h.diff()}.String()
}

// requireTold: there is one trace for each window that the root lived in, whose objects are nested as they are owned, and
// together they tell all once.
func requireTold(t *testing.T, c *assert.CollectT, jaeger *testbed.Jaeger, of tale) {
	traces, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
		Service: of.root.Cluster, Tags: map[string]string{attr.ObjectID: identity.ObjectID(of.root).String()},
	})
	require.NoError(c, err)
	chains := map[string]string{} // of owners, by object
	windows := map[time.Time]bool{}
	var all []heard
	for _, trace := range traces {
		trace = withObjectsOnce(trace)
		roots := trace.Roots()
		require.Len(c, roots, 1, "%s", trace)
		require.Equal(c, of.root.SpanName(), roots[0].Operation)
		require.False(c, windows[windowOf(roots[0].Start)], "two traces in one window")
		windows[windowOf(roots[0].Start)] = true
		all = append(all, listen(trace, roots[0], "", chains)...)
	}
	tree := map[string]int{}
	for _, chain := range chains {
		tree[chain]++
	}
	for chain, count := range of.tree {
		if count < 0 && tree[chain] > 0 {
			tree[chain] = count
		}
	}
	assert.Equal(c, of.tree, tree)
	ids := map[string]heard{}
	for _, h := range all {
		if other, ok := ids[h.TraceID+h.ID]; ok {
			assert.Fail(c, "twice: "+h.String(), other.String())
		}
		ids[h.TraceID+h.ID] = h
		assert.False(c, of.root.Cluster == managed && h.Tags[attr.SpanType] == attr.SpanTypeAudit, "%s", h)
	}
	for _, s := range of.told {
		count := 0
		for _, h := range all {
			if s.is(h) {
				count++
			}
		}
		assert.True(c, count == 1 || s.often && count > 1, "told %d times: %s\nof all this:\n%s", count, s, printed(all))
	}
}

// withObjectsOnce leaves out copies of objects' spans: k8slink may send one again, with the same ID, and Jaeger's memory keeps all.
func withObjectsOnce(trace testbed.Trace) testbed.Trace {
	seen := map[string]bool{}
	trace.Spans = slices.DeleteFunc(slices.Clone(trace.Spans), func(s testbed.Span) bool {
		again := s.Tags[attr.SpanType] == attr.SpanTypeObject && seen[s.ID]
		seen[s.ID] = true
		return again
	})
	return trace
}

// listen collects what is told of an object and of those that it owns.
func listen(trace testbed.Trace, at testbed.Span, owners string, chains map[string]string) []heard {
	resource, _, _ := strings.Cut(at.Operation, "/")
	chain := resource
	if owners != "" {
		chain += " < " + owners
	}
	chains[at.Operation] = chain
	var all []heard
	for _, span := range trace.Children(at) {
		switch span.Tags[attr.SpanType] {
		case attr.SpanTypeObject:
			all = append(all, listen(trace, span, chain, chains)...)
		case attr.SpanTypeAudit, attr.SpanTypeEvent, attr.SpanTypeWatch:
			all = append(all, heard{span, at.Operation})
		}
	}
	return all
}

func printed(all []heard) string {
	var lines []string
	for _, h := range all {
		lines = append(lines, h.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// requireEveryWriteOnceInJaeger compares with the API server's own log. One deletion of a collection is told of each object.
func (b *bed) requireEveryWriteOnceInJaeger(namespace string) {
	b.t.Helper()
	writes := b.written(namespace)
	require.NotEmpty(b.t, writes)
	require.EventuallyWithT(b.t, func(c *assert.CollectT) {
		traces, err := b.jaeger.Query.FindTraces(b.t.Context(), testbed.TraceQuery{
			Service: audited, Tags: map[string]string{attr.Namespace: namespace},
		})
		require.NoError(c, err)
		told := map[string]int{}
		for _, trace := range traces {
			for _, span := range trace.Spans {
				if id, ok := span.Tags[attr.AuditID].(string); ok {
					told[id]++
				}
			}
		}
		for _, e := range writes {
			assert.True(c, told[e.AuditID] == 1 || told[e.AuditID] > 1 && e.Verb == "deletecollection",
				"%s %s %s/%s by %s is told %d times", e.AuditID, e.Verb, e.ObjectRef.Resource, e.ObjectRef.Name, e.User.Username, told[e.AuditID])
		}
	}, patience, 500*time.Millisecond)
}
