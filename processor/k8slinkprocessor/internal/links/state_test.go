// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// TestReadChange reads what internal/diff and the watch receiver write.
func TestReadChange(t *testing.T) {
	for name, tt := range map[string]struct {
		path, text string
		want       string
	}{
		"a member":            {`spec.nodeName`, `null -> "n1"`, `[spec nodeName] "n1"`},
		"an object":           {`spec.scaleTargetRef`, `{"kind":"A"} -> {"kind":"B"}`, `[spec scaleTargetRef] {"kind":"B"}`},
		"removed":             {`spec.volumeName`, `"x" -> null`, `[spec volumeName] null`},
		"an annotation":       {`metadata.annotations["example.com/x"]`, `"a -> b" -> "c -> d"`, `[metadata annotations example.com/x] "c -> d"`},
		"below one":           {`a["b.c"].d`, `1 -> 2`, `[a b.c d] 2`},
		"an item":             {`spec.containers[name=app].image`, `"a" -> "b"`, `[spec containers] unclear`},
		"an item by index":    {`spec.ports[0]`, `1 -> 2`, `[spec ports] unclear`},
		"an item by value":    {`metadata.finalizers[=x]`, `null -> "x"`, `[metadata finalizers] unclear`},
		"a part of a diff":    {`spec.scaleTargetRef (1/2)`, `{"kind":"A"} -> {"ki`, `[spec scaleTargetRef] unclear`},
		"a value that is cut": {`spec.nodeName`, `null -> "aaaa… (3 bytes cut)`, `[spec nodeName] unclear`},
		"no diff":             {`spec.nodeName`, `hello`, `[spec nodeName] unclear`},
		"no path":             {``, `1 -> 2`, ``},
		"a broken path":       {`a["b`, `1 -> 2`, `[a] unclear`},
	} {
		t.Run(name, func(t *testing.T) {
			c, ok := ReadChange(tt.path, tt.text, 7)
			if tt.want == "" {
				assert.False(t, ok)
				return
			}
			require.True(t, ok)
			got := fmt.Sprint(c.Path) + " " + c.Value
			if c.Unclear {
				got = fmt.Sprint(c.Path) + " unclear"
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, pcommon.Timestamp(7), c.At)
		})
	}
}

func FuzzReadChange(f *testing.F) {
	f.Add(`metadata.annotations["a"].b[0]`, `{"a": 1} -> null`)
	f.Fuzz(func(t *testing.T, path, text string) {
		if c, ok := ReadChange(path, text, 1); ok {
			require.NotEmpty(t, c.Path)
		}
	})
}

// TestStateFollowsChanges: what rules see of an object after each of its contents and changes.
func TestStateFollowsChanges(t *testing.T) {
	rules, err := Compile(settings(func(s *Settings) {
		s.Rules = []Rule{
			{Name: "a", Match: appMatch, Role: "a", Target: `{"resource": "pods", "name": object.spec.a}`},
			{Name: "both", Match: appMatch, Role: "both", Target: `{"resource": "pods", "name": object.spec.a + object.spec.b}`},
		}
	}))
	require.NoError(t, err)
	see := func(s State, o *Object) string {
		var names []string
		for _, l := range rules.EvaluateState(o, &s, func(string, Outcome, error) {}).Links {
			names = append(names, l.Role+"="+l.Name)
		}
		return strings.Join(names, " ")
	}
	object := func() *Object {
		return &Object{Object: identity.Object{Cluster: "prod", Group: "example.com", Resource: "apps", Name: "x"}}
	}
	content := func(s State, text string, at pcommon.Timestamp, version string) State {
		o := object()
		require.NoError(t, rules.Decode(o, []byte(text)))
		s, _ = s.WithContent(o, at, version)
		return s
	}
	change := func(s State, at pcommon.Timestamp, path, text string) State {
		c, ok := ReadChange(path, text, at)
		require.True(t, ok)
		s, _ = s.WithChanges(rules, object(), []Change{c})
		return s
	}

	s := change(State{}, 5, "spec.a", `null -> "x"`)
	assert.Equal(t, "a=x", see(s, object()), "only what is known is evaluated")
	s = change(s, 6, "spec.b", `null -> "y"`)
	assert.Equal(t, "a=x both=xy", see(s, object()))
	s = change(s, 7, "spec.other", `null -> "z"`)
	assert.Len(t, s.changes, 2, "what no rule looks at is not kept")
	s = content(s, `{"spec": {"a": "1", "b": "2"}}`, 3, "1")
	assert.Equal(t, "a=x both=xy", see(s, object()), "changes newer than a content count")
	s = content(s, `{"spec": {"a": "1", "b": "2"}}`, 5, "2")
	assert.Equal(t, "a=1 both=1y", see(s, object()))
	s = content(s, `{"spec": {"a": "0"}}`, 4, "1")
	assert.Equal(t, "a=1 both=1y", see(s, object()), "an older content does not count")
	s = change(s, 9, "spec.a", `"1" -> null`)
	assert.Empty(t, see(s, object()))
	assert.True(t, s.Knows("", "2"))
	assert.False(t, s.Knows("u", "2"))

	s = change(s, 10, "spec", `{} -> {"a":"whole"}`)
	assert.Equal(t, "a=whole", see(s, object()), "a change of what is above counts")
	for i := range 3 * maxChanges {
		s = change(s, pcommon.Timestamp(20+i), fmt.Sprintf("spec.a.m%d", i), `null -> 1`)
	}
	assert.LessOrEqual(t, len(s.changes), maxChanges)
}

// TestWhatIsFoundInAListIsNewer: a watch that lists an object tells it as it is, at the time when it was made.
func TestWhatIsFoundInAListIsNewer(t *testing.T) {
	content := func(s State, uid, text string, at pcommon.Timestamp, version string) (State, bool) {
		o := &Object{UID: uid}
		require.NoError(t, json.Unmarshal([]byte(text), &o.content))
		return s.WithContent(o, at, version)
	}
	told, ok := content(State{}, "u", `{"spec": {}}`, 15, "9")
	require.True(t, ok)
	listed, ok := content(told, "u", `{"spec": {"claim": "c"}}`, 10, "11")
	require.True(t, ok)
	assert.True(t, listed.Knows("u", "11"))
	assert.JSONEq(t, `{"spec": {"claim": "c"}}`, string(listed.whole))

	for name, tt := range map[string]struct {
		uid, version string
		at           pcommon.Timestamp
		newer        bool
	}{
		"an older version that comes late":   {"u", "9", 20, false},
		"a newer version":                    {"u", "100", 20, true},
		"another life":                       {"v", "10", 20, true},
		"another life, of before":            {"v", "12", 14, false},
		"a version that nobody can compare":  {"u", "x", 20, true},
		"one of nobody knows which life":     {"", "10", 20, true},
		"the same of an earlier time, again": {"u", "11", 20, false},
	} {
		_, newer := content(listed, tt.uid, `{}`, tt.at, tt.version)
		assert.Equal(t, tt.newer, newer, name)
	}
}
