// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// told makes an object with entries, a second apart, below a parent.
func told(spans ptrace.ResourceSpansSlice, id, parent byte, resource, kind, name string, entries ...map[string]any) {
	rs := spans.AppendEmpty()
	_ = rs.Resource().Attributes().FromRaw(map[string]any{
		"service.name": resource, "k8s.object.resource": resource, "k8s.object.kind": kind, "k8s.object.name": name, "k8s.cluster.name": "prod",
	})
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetSpanID(pcommon.SpanID{id})
	span.SetParentSpanID(pcommon.SpanID{parent})
	span.SetStartTimestamp(pcommon.Timestamp(id))
	for i, attrs := range entries {
		log := span.Events().AppendEmpty()
		log.SetTimestamp(pcommon.Timestamp(i) * 1e9)
		_ = log.Attributes().FromRaw(attrs)
		log.SetName(str(log.Attributes(), "title"))
	}
}

// audit is an entry of the controller c, or of the user that more has.
func audit(title string, more map[string]any) map[string]any {
	all := map[string]any{"title": "c " + title, "source": "audit", "user.name": "c", "http.response.status_code": 200}
	for key, value := range more {
		all[key] = value
	}
	return all
}

var lost = map[string]any{"error.type": "Conflict", "http.response.status_code": 409, "error": "the object has been modified"}

func TestBriefLeavesOutWhatRepeats(t *testing.T) {
	td := ptrace.NewTraces()
	told(td.ResourceSpans(), 1, 0, "deployments", "Deployment", "web",
		audit("update status", map[string]any{"diff status.conditions": `null -> [{"type":"Available","status":"False","reason":"Starting","lastUpdateTime":"2026-01-01T00:00:00Z"}]`}),
		audit("update status", lost),
		audit("update status", map[string]any{
			"diff status.replicas": "2 -> 3", "diff status.observedGeneration": "1 -> 2",
			"diff status.conditions[type=Available].status": `"False" -> "True"`,
			"diff status.conditions[type=Available].reason": `"Starting" -> "Started"`,
		}),
		audit("update status", map[string]any{"diff status.replicas": "3 -> 4", "diff status.readyReplicas": "null -> 4"}),
		map[string]any{"title": "Scaled", "source": "event", "k8s.event.reporting_controller": "c", "k8s.event.type": "Normal", "message": "up to 3"},
		map[string]any{"title": "Scaled", "source": "event", "k8s.event.reporting_controller": "c", "k8s.event.type": "Normal", "message": "up to 4"},
		map[string]any{"title": "updated", "source": "watch", "diff metadata.deletionTimestamp": `null -> "2026-01-01T00:00:00Z"`},
		audit("patch", map[string]any{"diff spec.replicas": "4 -> 5"}),
		audit("patch", map[string]any{"diff spec.replicas": "5 -> 4"}),
		audit("delete", map[string]any{"error.type": "Forbidden", "http.response.status_code": 403, "error": "you may not"}),
		audit("delete", map[string]any{"error.type": "Forbidden", "http.response.status_code": 403, "error": "you may not"}),
		audit("update", lost),
	)
	assert.Equal(t, `cluster prod, 1970-01-01 00:00:00 – 00:00:11 UTC
1 object, 12 entries

Deployment web
   00:00:00.000  c           update status ×4 in 3s                      1 × 409
                 + condition Available  True, Started
                 ~ status  replicas 2 → 4, +readyReplicas 4
   00:00:04.000  c           Scaled ×2 in 1s
                 up to 3
                 up to 4
   00:00:07.000  c           patch ×2 in 1s
   00:00:09.000  c           delete                                403 Forbidden
                 you may not
   00:00:10.000  c           delete                                403 Forbidden
                 you may not
   00:00:11.000  c           update                                 409 Conflict
`, draw(t, td, Options{Brief: true}))
}

// TestBriefTellsOneOfThoseThatAreAlike, and each of which something failed that did not fail in it.
func TestBriefTellsOneOfThoseThatAreAlike(t *testing.T) {
	td := ptrace.NewTraces()
	all := td.ResourceSpans()
	told(all, 1, 0, "replicasets", "ReplicaSet", "web")
	told(all, 2, 1, "pods", "Pod", "web-a", audit("create", nil), audit("delete", map[string]any{"error.type": "NotFound"}))
	told(all, 3, 1, "pods", "Pod", "web-b", audit("create", nil), audit("delete", map[string]any{"error.type": "NotFound"}))
	told(all, 4, 1, "pods", "Pod", "web-c", audit("create", map[string]any{"error.type": "Forbidden"}))
	told(all, 5, 1, "pods", "Pod", "web-d", audit("create", nil))
	told(all, 6, 1, "configmaps", "ConfigMap", "web-e", audit("create", nil))
	got := draw(t, td, Options{Brief: true})
	assert.Contains(t, got, "├─ Pod web-b  2 entries, 00:00:00 – 00:00:01\n")
	assert.Contains(t, got, "├─ Pod web-d  1 entry, 00:00:00 – 00:00:00\n")
	assert.Equal(t, 3, strings.Count(got, "  create"), "of web-a, web-c and web-e\n%s", got)
	assert.Equal(t, 5, strings.Count(draw(t, td, Options{}), "  create"))
}

func TestChangesAreToldByTheirLeaves(t *testing.T) {
	for path, test := range map[string]struct {
		before, after string
		want          []change
	}{
		"spec.replicas": {"1", "2", []change{{"spec.replicas", "1", "2"}}},
		"metadata.labels": {none, `{"a.b/c":"x","d":"y","e":"","f":{}}`, []change{
			{`metadata.labels["a.b/c"]`, none, `"x"`}, {"metadata.labels.d", none, `"y"`},
		}},
		"status.list": {`[{"name":"a","n":1},{"name":"b","n":[2]}]`, none, []change{
			{"status.list[name=a].n", "1", none}, {"status.list[name=b].n", "[2]", none},
		}},
		"status.podIPs": {none, `[{"ip":"::1"}]`, []change{{"status.podIPs", none, `[{"ip":"::1"}]`}}},
		"spec.empty":    {none, `{}`, []change{{"spec.empty", none, `{}`}}},
		"spec.cut":      {none, `{"a":"… (9 bytes cut)`, []change{{"spec.cut", none, `{"a":"… (9 bytes cut)`}}},
	} {
		assert.Equal(t, test.want, change{path, test.before, test.after}.leaves(), path)
	}
}

func TestChangesAddUp(t *testing.T) {
	earlier := []change{{"a", "1", "2"}, {"b", none, "1"}, {"c", "1", "2"}}
	assert.Equal(t, []change{{"a", "1", "3"}, {"c", "1", none}, {"d", "5", "6"}},
		addUp(earlier, []change{{"a", "2", "3"}, {"b", "1", none}, {"c", "2", none}, {"d", "5", "6"}}))
	assert.Equal(t, []change{{"a", "1", "2"}, {"b", none, "1"}, {"c", "1", "2"}}, earlier, "they belong to their entry")
}

func TestParent(t *testing.T) {
	for path, want := range map[string][2]string{
		"spec.replicas":                           {"spec", "replicas"},
		`metadata.annotations["a.b/c"]`:           {"metadata.annotations", "a.b/c"},
		"status.conditions[type=Ready].status":    {"status.conditions[type=Ready]", "status"},
		"spec.containers[name=a.b]":               {"", "spec.containers[name=a.b]"},
		"spec":                                    {"", "spec"},
		`metadata.annotations["a[\"b\"]"].c["x"]`: {`metadata.annotations["a[\"b\"]"].c`, "x"},
	} {
		of, last := parent(path)
		assert.Equal(t, want, [2]string{of, last}, path)
	}
}
