// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

func TestSearchFindsObjectsByTagsNewestFirst(t *testing.T) {
	w := storagetest.NewWorld(2)
	p := newPlugin(t, &w.Store)
	const deployment, namesake, replicaSet, node = "prod hello", "stage hello", "prod hello-1", "prod n1"
	for name, test := range map[string]struct {
		cluster string
		tags    map[string]any
		limit   int
		want    []string
	}{
		"by name":                              {"", map[string]any{"name": "hello"}, 0, []string{deployment, namesake}},
		"by name, in one":                      {"stage", map[string]any{"name": "hello"}, 0, []string{namesake}},
		"by the tag cluster":                   {"", map[string]any{"name": "hello", "cluster": "stage"}, 0, []string{namesake}},
		"with a limit":                         {"", map[string]any{"name": "hello"}, 1, []string{deployment}},
		"by group and resource":                {"", map[string]any{"group": "apps", "resource": "replicasets"}, 0, []string{replicaSet}},
		"by kind":                              {"", map[string]any{"kind": "Node"}, 0, []string{node}},
		"by UID":                               {"", map[string]any{"uid": "d-2"}, 0, []string{namesake}},
		"of the core group, without namespace": {"", map[string]any{"group": "", "namespace": ""}, 0, []string{node}},
		"by the user of a request":             {"", map[string]any{"user.name": "bob"}, 0, []string{deployment}},
		"by a number":                          {"", map[string]any{"http.response.status_code": "409"}, 0, []string{namesake}},
		"by attributes of different spans":     {"prod", map[string]any{"user.name": "alice", "http.response.status_code": "200"}, 0, nil},
		"nothing":                              {"", map[string]any{"name": "nobody"}, 0, nil},
		"no such cluster":                      {"nowhere", nil, 0, nil},
		"everything":                           {"", nil, 0, []string{deployment, namesake, node, "prod hello-1-1", "prod hello-1-0", replicaSet}},
	} {
		t.Run(name, func(t *testing.T) {
			q := query(w, "tracing", test.cluster, test.tags)
			q.Limit = test.limit
			all := collectAll(t, p.FindTraces(t.Context(), q))
			for _, td := range all {
				root, _ := rootOf(td)
				root.SetName(strings.ReplaceAll(root.Name(), "default/", ""))
				if i := strings.LastIndexByte(root.Name(), '/'); i >= 0 {
					root.SetName(root.Name()[i+1:])
				}
				assert.Empty(t, warningsOf(td))
			}
			assert.Equal(t, test.want, found(all))
		})
	}
}

func TestSearchHonoursTimeAndDuration(t *testing.T) {
	w := storagetest.NewWorld(0)
	p := newPlugin(t, &w.Store)
	q := query(w, "", "prod", map[string]any{"name": "hello"})
	q.StartMin = w.Start.Add(time.Hour - 20*time.Minute)
	assert.Empty(t, collectAll(t, p.FindTraces(t.Context(), q)), "what happened was before")

	q = query(w, "", "prod", map[string]any{"name": "hello"})
	q.DurationMin = 15 * time.Minute
	assert.Len(t, collectAll(t, p.FindTraces(t.Context(), q)), 1)
	q.DurationMin = 30 * time.Minute
	assert.Empty(t, collectAll(t, p.FindTraces(t.Context(), q)))
	q.DurationMin, q.DurationMax = 0, 15*time.Minute
	assert.Empty(t, collectAll(t, p.FindTraces(t.Context(), q)))
}

// TestAResultOpens: the ID of each result opens the same view, in any replica, and the mode in it can be changed.
func TestAResultOpens(t *testing.T) {
	w := storagetest.NewWorld(3)
	for _, service := range []string{"tracing", "tree", "timeline", "grouped", "tracing [full tree]", "tracing [ancestors]", "tracing [links]"} {
		t.Run(service, func(t *testing.T) {
			all := collectAll(t, newPlugin(t, &w.Store).FindTraces(t.Context(), query(w, service, "", map[string]any{"name": "hello-1"})))
			require.Len(t, all, 1)
			root, _ := rootOf(all[0])
			opened := collectAll(t, newPlugin(t, &w.Store).GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: root.TraceID()}}))
			require.Len(t, opened, 1)
			assert.Equal(t, names(all[0]), names(opened[0]))
			assert.Equal(t, all[0].SpanCount(), opened[0].SpanCount())
		})
	}
	p := newPlugin(t, &w.Store)
	full, ok := p.Modes.ByID(0x21000000)
	require.True(t, ok)
	d, _ := identity.NewDisplay(full.ID, w.Deployment.ID(), w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
	id := d.TraceID()
	all := collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: id}}))
	require.Len(t, all, 1)
	assert.Len(t, names(all[0]), 1+1+3)
	id[1] = 0x20
	all = collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: id}}))
	require.Len(t, all, 1)
	assert.Len(t, names(all[0]), 1, "the same without its tree")
}

func TestAViewJoinsWindows(t *testing.T) {
	w := storagetest.NewWorld(0)
	d, _ := identity.NewDisplay(0x20000000, w.Deployment.ID(), w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
	view, err := newPlugin(t, &w.Store).Open(t.Context(), d.TraceID())
	require.NoError(t, err)
	root, _ := rootOf(view)
	assert.Equal(t, 2, root.Events().Len())
	assert.Empty(t, warningsOf(view))
}

// TestOwnersAndLinksAreFetched: both have traces of their own.
func TestOwnersAndLinksAreFetched(t *testing.T) {
	w := storagetest.NewWorld(1)
	p := newPlugin(t, &w.Store)
	open := func(mode uint32, object identity.ID) ptrace.Traces {
		d, _ := identity.NewDisplay(mode, object, w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
		view, err := p.Open(t.Context(), d.TraceID())
		require.NoError(t, err)
		return view
	}
	view := open(0x22000000, w.Pods[0].ID())
	root, _ := rootOf(view)
	assert.Len(t, names(view), 3)
	assert.Equal(t, 2, root.Events().Len(), "what happened to the Deployment in the window in which the Pod was not mentioned is there")

	view = open(0x28000000, w.Pods[0].ID())
	assert.Len(t, names(view), 2)
	p.Collect.Limits.Objects = 0
	view = open(0x22000000, w.Pods[0].ID())
	assert.Contains(t, warningsOf(view), "not looked up")
	assert.Contains(t, warningsOf(view), "replicasets/hello-1 in namespace default")
}

func TestStoredTracesOpenAsTheyAre(t *testing.T) {
	w := storagetest.NewWorld(1)
	p := newPlugin(t, &w.Store)
	stored := w.TraceIDs()[0]
	all := collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: stored}}))
	require.Len(t, all, 1)
	root, _ := rootOf(all[0])
	assert.Equal(t, "deployments/hello", root.Name())

	nobody, _ := identity.NewDisplay(0x20000000, identity.ID{1}, w.Start, w.Start)
	noMode, _ := identity.NewDisplay(0xffffffff, w.Deployment.ID(), w.Start, w.Start)
	for _, id := range []pcommon.TraceID{nobody.TraceID(), noMode.TraceID(), {0xff}, {1}} {
		assert.Empty(t, collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: id}})), "not found is no error")
	}

	// A foreign trace whose ID begins with ff is found although it names no view.
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(noMode.TraceID())
	span.SetSpanID(pcommon.SpanID{1})
	span.SetName("foreign")
	w.Add(td)
	all = collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: noMode.TraceID()}}))
	require.Len(t, all, 1)
	assert.Equal(t, []string{"foreign"}, names(all[0]))
}

func TestWhatIsWrongWithASearchIsItsResult(t *testing.T) {
	w := storagetest.NewWorld(0)
	p := newPlugin(t, &w.Store)
	upsideDown := query(w, "", "", nil)
	upsideDown.StartMin, upsideDown.StartMax = upsideDown.StartMax, upsideDown.StartMin
	for want, q := range map[string]jaegerstorage.Query{
		`there is no display mode "prod", but`:                     query(w, "prod", "", nil),
		`there is no modifier "ancestor", but`:                     query(w, "tracing [ancestor]", "", nil),
		"the time range ends at":                                   upsideDown,
		`the tag cluster is "stage", but the operation is "prod"`:  query(w, "", "prod", map[string]any{"cluster": "stage"}),
		`a resource is lower case and plural, such as deployments`: query(w, "", "", map[string]any{"resource": "Deployment"}),
	} {
		all := collectAll(t, p.FindTraces(t.Context(), q))
		require.Len(t, all, 1, want)
		root, _ := rootOf(all[0])
		assert.Contains(t, root.Name(), "The search is not valid")
		assert.Contains(t, warningsOf(all[0]), strings.ReplaceAll(want, `"`, `\"`))
		for summaries, err := range p.FindTraceSummaries(t.Context(), q) {
			require.NoError(t, err)
			require.Len(t, summaries, 1)
			opened := collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: summaries[0].TraceID}}))
			require.Len(t, opened, 1, "a page that was given the summary can open it")
			assert.Equal(t, warningsOf(all[0]), warningsOf(opened[0]))
		}
	}
}

// TestOnlyTheLastNotesAreKept, cut to a size.
func TestOnlyTheLastNotesAreKept(t *testing.T) {
	w := storagetest.NewWorld(0)
	p := newPlugin(t, &w.Store)
	var ids []pcommon.TraceID
	for i := range 2 * maxNotes {
		all := collectAll(t, p.FindTraces(t.Context(), query(w, strings.Repeat("x", maxText+i), "", nil)))
		require.Len(t, all, 1)
		root, _ := rootOf(all[0])
		assert.Less(t, len(warningsOf(all[0])), 3*maxText)
		ids = append(ids, root.TraceID())
	}
	assert.Empty(t, collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: ids[0]}})))
	assert.Len(t, collectAll(t, p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: ids[len(ids)-1]}})), 1)
}

func TestAStorageThatIsDown(t *testing.T) {
	w := storagetest.NewWorld(0)
	p := newPlugin(t, &w.Store)
	down := errors.New("connection refused")
	w.Before = func(context.Context, string, string) error { return down }

	all := collectAll(t, p.FindTraces(t.Context(), query(w, "", "", nil)))
	require.Len(t, all, 1)
	root, _ := rootOf(all[0])
	assert.Contains(t, root.Name(), "The search failed: list the clusters: connection refused")

	d, _ := identity.NewDisplay(0x20000000, w.Deployment.ID(), w.Start, w.Start.Add(time.Hour))
	for _, id := range []pcommon.TraceID{d.TraceID(), {1}} {
		var got error
		for _, err := range p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: id}}) {
			got = err
		}
		require.ErrorIs(t, got, down)
	}
	_, err := p.Operations(t.Context(), "", "")
	require.ErrorIs(t, err, down)
	services, err := p.Services(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "tracing", services[0])
}

// TestAClusterThatIsDown leaves the others.
func TestAClusterThatIsDown(t *testing.T) {
	w := storagetest.NewWorld(0)
	p := newPlugin(t, &w.Store)
	w.Before = func(_ context.Context, _, service string) error {
		if service == "stage" {
			return errors.New("connection refused")
		}
		return nil
	}
	all := collectAll(t, p.FindTraces(t.Context(), query(w, "", "", map[string]any{"name": "hello"})))
	require.Len(t, all, 2)
	assert.Contains(t, warningsOf(all[0]), "cluster stage could not be searched: connection refused")
	d, _ := identity.NewDisplay(0x20000000, w.Deployment.ID(), w.Start, w.Start.Add(time.Hour))
	view, err := p.Open(t.Context(), d.TraceID())
	require.NoError(t, err)
	assert.Contains(t, warningsOf(view), "cluster stage could not be asked for the object: connection refused")
}

// TestASlowStorage: the request ends in time, and says why it has nothing.
func TestASlowStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := storagetest.NewWorld(0)
		p := newPlugin(t, &w.Store)
		p.Timeout = 20 * time.Millisecond
		w.Before = func(ctx context.Context, call, _ string) error {
			if call == "find" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		all := collectAll(t, p.FindTraces(t.Context(), query(w, "", "", nil)))
		require.Len(t, all, 1)
		assert.Contains(t, warningsOf(all[0]), "it took too long")
		d, _ := identity.NewDisplay(0x20000000, w.Deployment.ID(), w.Start, w.Start.Add(time.Hour))
		_, err := p.Open(t.Context(), d.TraceID())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, OutcomeTimeout, OutcomeOf(err))
	})
}

func TestCancellationEndsTheWork(t *testing.T) {
	w := storagetest.NewWorld(0)
	p := newPlugin(t, &w.Store)
	ctx, cancel := context.WithCancel(t.Context())
	w.Before = func(ctx context.Context, call, _ string) error {
		if call == "find" {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	var got error
	for _, err := range p.FindTraces(ctx, query(w, "", "", nil)) {
		got = err
	}
	require.ErrorIs(t, got, context.Canceled)
	d, _ := identity.NewDisplay(0x20000000, w.Deployment.ID(), w.Start, w.Start.Add(time.Hour))
	_, err := p.Open(ctx, d.TraceID())
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, p.Slots, "all requests are over")
}

func TestRequestsWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := storagetest.NewWorld(0)
		p := newPlugin(t, &w.Store)
		p.Timeout = 10 * time.Millisecond
		p.Slots <- struct{}{}
		p.Slots <- struct{}{}
		all := collectAll(t, p.FindTraces(t.Context(), query(w, "", "", nil)))
		require.Len(t, all, 1)
		assert.Contains(t, warningsOf(all[0]), "too many requests are being worked on: try again")
		_, err := p.Operations(t.Context(), "", "")
		require.ErrorIs(t, err, errBusy)
		<-p.Slots
		operations, err := p.Operations(t.Context(), "", "")
		require.NoError(t, err)
		assert.Equal(t, []jaegerstorage.Operation{{Name: "prod", SpanKind: "internal"}, {Name: "stage", SpanKind: "internal"}}, operations)
	})
}

func TestSummariesSayWhatTracesShow(t *testing.T) {
	w := storagetest.NewWorld(2)
	p := newPlugin(t, &w.Store)
	q := query(w, "tracing [full tree]", "", map[string]any{"name": "hello"})
	traces := collectAll(t, p.FindTraces(t.Context(), q))
	var summaries []jaegerstorage.Summary
	for some, err := range p.FindTraceSummaries(t.Context(), q) {
		require.NoError(t, err)
		summaries = append(summaries, some...)
	}
	require.Len(t, summaries, len(traces))
	for i, s := range summaries {
		root, service := rootOf(traces[i])
		assert.Equal(t, root.TraceID(), s.TraceID)
		assert.Equal(t, root.Name(), s.RootOperation)
		assert.Equal(t, service, s.RootService)
		assert.Equal(t, traces[i].SpanCount(), s.Spans)
		assert.Equal(t, root.StartTimestamp().AsTime(), s.Start)
		assert.Equal(t, root.EndTimestamp().AsTime(), s.End)
		assert.Zero(t, s.Orphaned)
	}
	assert.Equal(t, []jaegerstorage.ServiceSummary{{Name: "deployments", Spans: 1}, {Name: "pods", Spans: 2}, {Name: "replicasets", Spans: 1}}, summaries[0].Services)
}

// FuzzOpen: no ID and no stored span makes it panic, and what it shows has the ID that was asked for.
func FuzzOpen(f *testing.F) {
	w := storagetest.NewWorld(1)
	p := newPlugin(f, &w.Store)
	d, _ := identity.NewDisplay(0x21000000, w.Deployment.ID(), w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
	id := d.TraceID()
	f.Add(id[:])
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, text []byte) {
		var id pcommon.TraceID
		copy(id[:], text)
		for td, err := range p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: id}}) {
			require.NoError(t, err)
			root, _ := rootOf(td)
			require.Equal(t, id, root.TraceID())
		}
	})
}
