// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// displayed makes a trace of one object with one entry, both with these attributes.
func displayed(name string, attrs map[string]any) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	_ = rs.Resource().Attributes().FromRaw(map[string]any{
		"service.name": "pods", "k8s.cluster.name": name, "k8s.object.kind": name, "k8s.object.name": name, "k8s.object.resource": "pods",
	})
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	root := spans.AppendEmpty()
	root.SetSpanID(pcommon.SpanID{1})
	root.SetName(name)
	log := root.Events().AppendEmpty()
	log.SetName(name)
	_ = log.Attributes().FromRaw(attrs)
	child := spans.AppendEmpty()
	child.SetSpanID(pcommon.SpanID{2})
	child.SetParentSpanID(root.SpanID())
	child.SetName(name)
	_ = child.Attributes().FromRaw(attrs)
	return td
}

func draw(tb testing.TB, td ptrace.Traces, o Options) string {
	var b strings.Builder
	require.NoError(tb, Write(&b, td, o))
	return b.String()
}

// FuzzText: whatever a trace holds, each line fits and does nothing to a terminal.
func FuzzText(f *testing.F) {
	f.Add("a\x1b[2J", "x\u202e\n\u200d日本", "spec", "1 -> 2", uint8(80), true)
	f.Add("a", "b", "status.conditions[type=x\x1b].status", `null -> "\x1b"`, uint8(60), true)
	f.Add("a", "b", "a.b", `null -> {"a\u001b":[{"name":"日本"},{"name":""}],"b":{}}`, uint8(60), true)
	f.Add(strings.Repeat("long ", 100), strings.Repeat("日", 200), strings.Repeat("path.", 99), `"a -> b" -> "c"`, uint8(0), false)
	f.Add("\xff", "", "", `"`+strings.Repeat("same", 30)+`1" -> "`+strings.Repeat("same", 30)+`2"`, uint8(60), false)
	f.Fuzz(func(t *testing.T, name, message, path, change string, columns uint8, brief bool) {
		for _, source := range []string{"audit", "event", "watch", message} {
			got := draw(t, displayed(name, map[string]any{
				"source": source, "message": message, "error": message, "diff " + path: change, "diff cut": message, "k8s.watch.managers": []any{name},
				"user.name": name, "k8s.event.type": message, "error.type": path, "duration": message, "owner": name, "links": []any{message},
				"@jaeger@warnings": []any{message}, "life": path, "k8s.event.reporting_controller": name, "k8s.watch.deletion": []any{path},
			}), Options{Width: int(columns), Brief: brief})
			limit := 80
			if columns > 0 {
				limit = max(int(columns), 60)
			}
			for line := range strings.Lines(got) {
				line = strings.TrimSuffix(line, "\n")
				require.LessOrEqual(t, width(line), limit, "%q", line)
				require.True(t, utf8.ValidString(line))
				require.NotContains(t, line, "\x1b")
				require.Equal(t, -1, strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", line)
			}
		}
	})
}

func TestColorsOnlyWhenAskedFor(t *testing.T) {
	td := displayed("web", map[string]any{"source": "audit", "user.name": "alice", "error.type": "Conflict", "diff spec.replicas": "1 -> 2"})
	bare, colored := draw(t, td, Options{}), draw(t, td, Options{Color: true})
	assert.NotContains(t, bare, "\x1b")
	assert.Contains(t, colored, "\x1b[31mConflict\x1b[0m")
	assert.Contains(t, colored, "\x1b[1mweb\x1b[0m")
	for _, code := range []string{"0", "1", "2", "31", "32", "33", "36"} {
		colored = strings.ReplaceAll(colored, "\x1b["+code+"m", "")
	}
	assert.Equal(t, bare, colored)
}

func TestChangesBeyondTheLimitAreCounted(t *testing.T) {
	td := displayed("web", map[string]any{"source": "watch", "diff a": "1 -> 2", "diff b": "1 -> 2", "diff c": "1 -> 2"})
	got := draw(t, td, Options{MaxDiffs: 1})
	assert.Contains(t, got, "… and 2 more changes")
	assert.NotContains(t, draw(t, td, Options{}), "…")
}

func TestNothingIsDrawnOfNothing(t *testing.T) {
	assert.Empty(t, draw(t, ptrace.NewTraces(), Options{}))
}

// TestSpansThatAreEachOthersParents do not keep it from ending. Views have none.
func TestSpansThatAreEachOthersParents(t *testing.T) {
	td := displayed("web", nil)
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	for i := range 2 {
		span := spans.AppendEmpty()
		span.SetSpanID(pcommon.SpanID{2})
		span.SetParentSpanID(pcommon.SpanID{byte(i + 1)})
	}
	assert.NotEmpty(t, draw(t, td, Options{}))
}

func TestSplitChange(t *testing.T) {
	for change, want := range map[string][2]string{
		"1 -> 2":                    {"1", "2"},
		`"a -> b" -> "c"`:           {`"a -> b"`, `"c"`},
		`"a" -> "b -> c"`:           {`"a"`, `"b -> c"`},
		`null -> {"x":"p -> q"}`:    {"null", `{"x":"p -> q"}`},
		`"cut -> … (9 bytes cut)`:   {`"cut`, "… (9 bytes cut)"},
		`"x -> y" -> "z -> a -> b"`: {`"x -> y"`, `"z -> a -> b"`},
	} {
		before, after, ok := splitChange(change)
		assert.True(t, ok, change)
		assert.Equal(t, want, [2]string{before, after}, change)
	}
	for _, change := range []string{"", "nothing", "a -> b -> c"} {
		_, _, ok := splitChange(change)
		assert.False(t, ok, change)
	}
}

func TestShortUser(t *testing.T) {
	for user, want := range map[string]string{
		"alice": "alice",
		"system:serviceaccount:kube-system:deployment-controller": "deployment-controller",
		"system:serviceaccount:shop:deployer":                     "shop/deployer",
		"system:node:n1":                                          "kubelet n1",
		"system:kube-scheduler":                                   "kube-scheduler",
		"":                                                        "",
	} {
		assert.Equal(t, want, ShortUser(user))
	}
}

func TestCut(t *testing.T) {
	assert.Equal(t, "日本…", cut("日本語", 5))
	assert.Equal(t, "日本語", cut("日本語", 6))
	assert.Equal(t, "abc…xyz", cutMiddle("abcdefghijklmnopqrstuvwxyz", 7))
	assert.Equal(t, `…try/web:1" → …try/web:22"`, squeeze(`"registry/web:1"`, `"registry/web:22"`, 27))
	assert.Equal(t, `"aaaaaaa… → "bbbbbbb…`, squeeze(`"aaaaaaaaaaaa"`, `"bbbbbbbbbbbbb"`, 21))
}
