// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// requireWellFormed holds a view against what Jaeger's UI needs, and what package view promises.
func requireWellFormed(t *testing.T, td ptrace.Traces) {
	t.Helper()
	spans := spansIn(td)
	ids := map[pcommon.SpanID]pcommon.SpanID{}
	roots := 0
	for _, s := range spans {
		require.Equal(t, asked, s.TraceID())
		require.False(t, s.SpanID().IsEmpty())
		_, known := ids[s.SpanID()]
		require.False(t, known, "span IDs are unique")
		ids[s.SpanID()] = s.ParentSpanID()
		if s.ParentSpanID().IsEmpty() {
			roots++
		}
		require.GreaterOrEqual(t, s.EndTimestamp(), s.StartTimestamp())
		require.LessOrEqual(t, uint64(s.EndTimestamp()), uint64(1)<<63, "a time that Jaeger can tell")
		require.Equal(t, ptrace.SpanKindInternal, s.Kind())
		for _, key := range []string{"host.id", "ip"} {
			host, ok := s.resource.Get(key)
			require.True(t, ok)
			require.Equal(t, "kelemetry", host.AsString())
		}
		service, ok := s.resource.Get("service.name")
		require.True(t, ok)
		require.NotEmpty(t, service.AsString())
		requireNothingInternal(t, s)
	}
	require.Equal(t, 1, roots)
	for id := range ids { // every span is below the root
		steps := 0
		for at := id; !at.IsEmpty(); steps++ {
			above, known := ids[at]
			require.True(t, known && steps <= len(ids))
			at = above
		}
	}
	for _, s := range spans {
		for _, link := range s.Links().All() {
			require.NotEqual(t, asked, link.TraceID())
			_, known := ids[link.SpanID()]
			require.False(t, known)
		}
	}
}

func requireNothingInternal(t *testing.T, s shown) {
	t.Helper()
	check := func(attrs pcommon.Map) {
		for key, value := range attrs.All() {
			if strings.HasPrefix(key, "kelemetry.") || strings.Contains(key, "metadata.managedFields") || strings.Contains(value.AsString(), `"managedFields"`) {
				require.Fail(t, "internal", "%s: %s", key, value.AsString())
			}
		}
	}
	check(s.resource)
	check(s.Attributes())
	var last pcommon.Timestamp
	for _, log := range s.Events().All() {
		require.GreaterOrEqual(t, log.Timestamp(), last, "entries are in order of time")
		last = log.Timestamp()
		if _, ours := log.Attributes().Get("source"); ours { // other sources' logs are their own
			check(log.Attributes())
		}
	}
}

// FuzzRender: whatever was stored, each mode makes a view of it that Jaeger can draw, or nothing if the object is unknown; it
// is the same each time; and a collector that adds what is wanted comes to an end.
func FuzzRender(f *testing.F) {
	f.Add([]byte("0123456701234567"), uint8(0), int64(0), int64(0))
	f.Add([]byte("\x00\x04\x00\x01\x00\x01\x01\x0b\x03\x04\x00\x02\x00\x01\x01\x04\x04\x00\x02\x00\x01\x01\x0b"), uint8(3), int64(0), int64(1)<<60)
	list := modes(f).List()
	f.Fuzz(func(t *testing.T, script []byte, which uint8, from, length int64) {
		batches := storedtest.Compose(script[:min(len(script), 40*storedtest.SpanBytes)])
		g := graphOf(batches...)
		m := list[int(which)%len(list)]
		if which%5 == 0 {
			m.LiftFrom, m.Steps = []string{"replicasets", "pods", "audit"}, append(slices.Clone(m.Steps), mode.Lift)
		}
		o := Options{TraceID: asked, DisplayID: displayID, Limits: Limits{MaxObjects: 4, MaxLinked: 2, MaxEntries: 9}}
		if which%3 == 0 {
			o.From, o.To = time.Unix(0, from), time.Unix(0, from).Add(time.Duration(length))
		}
		for _, thing := range storedtest.Things {
			id := storedtest.ID(thing)
			td := Render(g, id, m, o)
			if _, ok := g.Object(id); !ok {
				require.Zero(t, td.SpanCount())
				continue
			}
			requireWellFormed(t, td)
			require.Equal(t, td, Render(g, id, m, o))
			require.NoError(t, text.Write(io.Discard, td, text.Options{}))
			wants := Wanted(g, id, m, o.Limits)
			require.Equal(t, id, wants[0].Ref.ID)
			seen := map[identity.ID]bool{}
			for _, w := range wants {
				require.False(t, seen[w.Ref.ID])
				seen[w.Ref.ID] = true
				_, have := g.Object(w.Ref.ID)
				require.Equal(t, have, w.Have)
			}
		}
	})
}

// TestRecordedRollout: every mode of a real trace is well formed, whole, and has what the original's own test asks for.
func TestRecordedRollout(t *testing.T) {
	td, deployment := recorded(t)
	g := graphOf(td)
	for _, m := range modes(t).List() {
		requireWellFormed(t, Render(g, deployment, m, Options{TraceID: asked, DisplayID: displayID}))
	}
	view := Render(g, deployment, modeNamed(t, "tracing [full tree]"), Options{TraceID: asked})
	require.Equal(t, 11, view.SpanCount(), "a Deployment, 2 ReplicaSets and 8 Pods")
	var picture strings.Builder
	require.NoError(t, text.Write(&picture, view, text.Options{}))
	comparePicture(t, "testdata/recorded/full_tree.txt", picture.String())

	var root shown
	for _, s := range spansIn(view) {
		if s.ParentSpanID().IsEmpty() {
			root = s
		}
	}
	require.Equal(t, "demo/demo 01:29:51..01:29:54", root.Name())
	require.Equal(t, []string{"demo/demo-54779946bc", "demo/demo-56557b4dd8"}, childrenOf(view, root.SpanID()))
	told := map[string]bool{}
	for _, log := range root.Events().All() {
		for key, v := range log.Attributes().All() {
			if key == "snapshot" {
				var object struct{ Metadata struct{ Name string } }
				require.NoError(t, json.Unmarshal([]byte(v.Str()), &object))
				told[log.Name()+": snapshot of "+object.Metadata.Name] = true
			}
			told[log.Name()+": "+key+" "+v.AsString()] = true
		}
	}
	for _, want := range []string{
		"alice create: snapshot of demo",
		"alice delete: snapshot of demo",
		"alice update scale: diff spec.replicas 2 -> 4",
		"ScalingReplicaSet: message Scaled up replica set demo-54779946bc from 0 to 2",
		"deployment-controller update status: diff status.observedGeneration 1 -> 2",
	} {
		require.True(t, told[want], "%q is not told", want)
	}

	var replicaSet identity.ID
	for _, o := range g.Objects() {
		if o.Name == "demo-54779946bc" {
			replicaSet = o.ID
		}
	}
	view = Render(g, replicaSet, modeNamed(t, "tracing [ancestors]"), Options{TraceID: asked})
	require.Equal(t, 2, view.SpanCount(), "the Deployment, with exactly one child")
}

// TestNothingOfTheGraphIsChanged: a second view of a graph is as good as the first.
func TestNothingOfTheGraphIsChanged(t *testing.T) {
	td, deployment := recorded(t)
	before := ptrace.NewTraces()
	td.CopyTo(before)
	g := graphOf(td)
	for _, name := range []string{"tracing [full tree]", "grouped [full tree]", "tree [full tree, links]", "timeline [full tree]"} {
		m := modeNamed(t, name)
		first := Render(g, deployment, m, Options{TraceID: asked})
		require.Equal(t, first, Render(g, deployment, m, Options{TraceID: asked}))
		require.Equal(t, first, Render(graphOf(before), deployment, m, Options{TraceID: asked}))
	}
	require.Equal(t, before, td)
}
