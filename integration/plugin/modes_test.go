// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package plugin

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// requireModes opens the first ReplicaSet of the roll-out in each mode that Jaeger lists, by a search and by the digits in its ID. All of
// them show the objects that their modifiers take in, and of each object each request that the API server's own log has, once; and all modes tell
// the same of the same objects.
func (p *page) requireModes(t *testing.T, result *testbed.RolloutResult, all told) {
	modes, err := p.jaeger.Services(t.Context())
	require.NoError(t, err)
	require.Equal(t, "tracing", modes[0])
	replicaSet := result.ReplicaSets[0]
	byScope, ids := map[string]map[string]int{}, map[string]bool{}
	for _, mode := range modes {
		layout, scope, _ := strings.Cut(mode, " ")
		traces, err := p.search(t, mode, map[string]string{"resource": "replicasets", "namespace": result.Namespace, "name": replicaSet.Name})
		require.NoError(t, err)
		require.Len(t, traces, 1, mode)
		trace := traces[0]
		assert.False(t, ids[trace.ID], "two modes have the ID %s", trace.ID)
		ids[trace.ID] = true
		byDigits, err := p.jaeger.Trace(t.Context(), trace.ID)
		require.NoError(t, err, mode)
		assert.Equal(t, shape(trace), shape(byDigits), mode)

		requireForm(t, mode, trace)
		got := read(t, layout, trace)
		shown := expected(result, scope)
		assert.ElementsMatch(t, slices.Collect(maps.Keys(shown)), got.workloads(), "%s: %s", mode, trace)
		pods := slices.ContainsFunc(result.Pods, func(pod testbed.Object) bool { return shown["pods/"+pod.Name] })
		assert.Equal(t, pods && strings.Contains(scope, "links"), got.has("nodes/"), "%s: nodes of Pods", mode)
		for object := range shown {
			resource, name, _ := strings.Cut(object, "/")
			assert.Equal(t, all.writes(resource, result.Namespace, name), got.requests(object), "%s: requests to %s", mode, object)
		}
		requireDiffs(t, mode, got, shown)
		// What was told in this scope by another mode is told by this one.
		entries := got.count()
		if known, ok := byScope[scope]; ok {
			assert.Equal(t, known, entries, mode)
		}
		byScope[scope] = entries
	}
	for _, layout := range []string{"tracing", "grouped", "tree", "timeline"} {
		for _, scope := range []string{"", " [ancestors]", " [owned objects]", " [full tree]", " [links]", " [links, owned objects]", " [ancestors, links]"} {
			assert.Contains(t, modes, layout+scope)
		}
	}
	operations, err := p.jaeger.Operations(t.Context(), "tracing")
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"edge", "hub", "prod"}, operations)
}

// expected are the objects of the roll-out that a view of its first ReplicaSet has.
func expected(result *testbed.RolloutResult, scope string) map[string]bool {
	first := result.ReplicaSets[0]
	shown := map[string]bool{"replicasets/" + first.Name: true}
	full := strings.Contains(scope, "full tree")
	if full || strings.Contains(scope, "ancestors") {
		shown["deployments/"+result.Deployment.Name] = true
	}
	if full {
		shown["replicasets/"+result.ReplicaSets[1].Name] = true
	}
	for _, pod := range result.Pods {
		if full || strings.Contains(scope, "owned objects") && pod.Owner == first.UID {
			shown["pods/"+pod.Name] = true
		}
	}
	return shown
}

// requireDiffs: what users and controllers asked for is told by their requests, which did not meet the observation in the stream in each case.
func requireDiffs(t *testing.T, mode string, got reading, shown map[string]bool) {
	by := map[string]map[string]int{}
	for _, e := range got.entries {
		for key, value := range e.fields {
			assert.NotContains(t, key+fmt.Sprint(value), "managedFields")
			if path, ok := strings.CutPrefix(key, "diff "); ok {
				resource, _, _ := strings.Cut(e.object, "/")
				told := fmt.Sprintf("%s %s %v", resource, path, value)
				if resource == "pods" {
					told = e.object + " " + path
				}
				if by[told] == nil {
					by[told] = map[string]int{}
				}
				by[told][e.title]++
			}
		}
	}
	for object := range shown {
		switch resource, _, _ := strings.Cut(object, "/"); resource {
		case "deployments":
			assert.Equal(t, map[string]int{"alice update scale": 1}, by["deployments spec.replicas 2 -> 4"], mode)
			assert.Equal(t, map[string]int{"alice update scale": 1}, by["deployments spec.replicas 4 -> 2"], mode)
			assert.Equal(t, map[string]int{"deployment-controller update status": 1}, by["deployments status.observedGeneration 1 -> 2"], mode)
		case "pods":
			assert.Equal(t, map[string]int{"kube-scheduler create binding": 1}, by[object+" spec.nodeName"], "%s: %s", mode, object)
		}
	}
}

// requireForm: one root, with the times in its name; no span twice; and no warning.
func requireForm(t *testing.T, mode string, trace testbed.Trace) {
	require.Len(t, trace.Roots(), 1, "%s: %s", mode, trace)
	assert.Regexp(t, `^demo/demo(-\w+)? \d\d:\d\d:\d\d\.\.\d\d:\d\d:\d\d$`, trace.Roots()[0].Operation, mode)
	ids := map[string]bool{}
	for _, span := range trace.Spans {
		assert.False(t, ids[span.ID], "%s: two spans have one ID", mode)
		ids[span.ID] = true
		assert.Empty(t, span.Warnings, mode)
		_, linked := span.Tags["link"]
		if parent, ok := trace.Span(span.ParentID); ok && !linked && span.Tags["group"] != "references" {
			// Jaeger's API rounds starts and durations to microseconds.
			outside := max(parent.Start.Sub(span.Start), span.End().Sub(parent.End()))
			assert.LessOrEqual(t, outside, 2*time.Microsecond, "%s: %s is longer than what it is in", mode, span.Operation)
		}
	}
}

// entry is something that happened to an object, wherever the mode has it.
type entry struct {
	object, title string
	at            time.Time
	fields        map[string]any
}

type reading struct {
	objects map[string]bool
	entries []entry
}

// read finds what a view tells, in the places where the mode puts it.
func read(t *testing.T, layout string, trace testbed.Trace) (r reading) {
	t.Helper()
	r.objects = map[string]bool{}
	root := trace.Roots()[0]
	var visit func(span testbed.Span, object string)
	visit = func(span testbed.Span, object string) {
		_, isEntry := span.Tags["source"]
		_, isGroup := span.Tags["group"]
		switch {
		case isEntry:
			require.Contains(t, []string{"tree", "timeline"}, layout)
			require.Empty(t, span.Logs)
			title := span.Operation
			if prefix, rest, ok := strings.Cut(title, ": "); ok && layout == "timeline" && strings.Contains(prefix, "/") {
				object, title = prefix, rest
			}
			fields := maps.Clone(span.Tags)
			delete(fields, "error") // Jaeger's own; a log has the message there
			if message, ok := span.Tags["otel.status_description"]; ok {
				fields["error"] = message
			}
			r.add(entry{object, title, span.Start, fields})
		case isGroup && layout == "grouped":
			require.Contains(t, []string{"audit", "event", "watch"}, span.Operation)
			for _, log := range span.Logs {
				require.Equal(t, span.Operation, log.Fields["source"])
				r.add(entry{object, fmt.Sprint(log.Fields["event"]), log.Time, log.Fields})
			}
		case isGroup:
			require.NotEqual(t, "timeline", layout)
		default:
			object = span.Service + "/" + nameOf(span)
			r.objects[object] = true
			require.True(t, layout == "tracing" || len(span.Logs) == 0)
			require.True(t, layout != "timeline" || span.ID == root.ID)
			for _, log := range span.Logs {
				r.add(entry{object, fmt.Sprint(log.Fields["event"]), log.Time, log.Fields})
			}
		}
		for _, child := range trace.Children(span) {
			visit(child, object)
		}
	}
	visit(root, "")
	return r
}

func (r *reading) add(e entry) {
	r.objects[e.object] = true
	r.entries = append(r.entries, e)
}

// workloads are the objects without the nodes.
func (r *reading) workloads() (all []string) {
	for object := range r.objects {
		if !strings.HasPrefix(object, "nodes/") {
			all = append(all, object)
		}
	}
	return all
}

func (r *reading) has(prefix string) bool {
	for object := range r.objects {
		if strings.HasPrefix(object, prefix) {
			return true
		}
	}
	return false
}

// requests are the IDs of the requests that are told of an object.
func (r *reading) requests(object string) (ids []string) {
	for _, e := range r.entries {
		if e.object == object && e.fields["source"] == "audit" {
			ids = append(ids, fmt.Sprint(e.fields["k8s.audit.id"]))
		}
	}
	slices.Sort(ids)
	return ids
}

// count describes each entry but those of nodes, to which something may happen while one looks.
func (r *reading) count() map[string]int {
	all := map[string]int{}
	for _, e := range r.entries {
		if strings.HasPrefix(e.object, "nodes/") {
			continue
		}
		text := []string{e.object, e.title, e.at.Format(time.RFC3339Nano)}
		for _, key := range slices.Sorted(maps.Keys(e.fields)) {
			if key == "source" || key == "message" || key == "error" || key == "snapshot" || strings.Contains(key, "diff") {
				text = append(text, fmt.Sprintf("%s=%v", key, e.fields[key]))
			}
		}
		all[strings.Join(text, "\n")]++
	}
	return all
}

// requireWarnings: a view with limits says what it leaves out.
func (b *bed) requireWarnings(t *testing.T, result *testbed.RolloutResult) {
	small := &page{http: b.small}
	query := url.Values{
		"kind": {"Deployment"}, "namespace": {result.Namespace}, "name": {result.Deployment.Name}, "cluster": {"prod"},
		"ts": {result.Started.Format(time.RFC3339)}, "mode": {"tracing [full tree]"}, "format": {"text"},
	}
	code, _, text := small.get(t, "/trace", query)
	require.Equal(t, http.StatusOK, code, text)
	text = strings.Join(strings.Fields(text), " ")
	assert.Contains(t, text, "not shown, because a view has at most 3 objects")
	assert.Regexp(t, `the first \d+ of \d+ entries are not shown: ask for a shorter time range`, text)
}
