// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/internal/identity"
)

func app(text string) (Object, string) {
	return Object{
		Object: identity.Object{Cluster: "prod", Group: "example.com", Resource: "apps", Namespace: "shop", Name: "web"}, UID: "u",
	}, text
}

var appMatch = Match{Group: "example.com", Resource: "apps"}

func settings(change func(*Settings)) Settings {
	s := Settings{
		ParentAnnotation: "kelemetry.kubewharf.io/parent-link", TraceContexts: []string{"tracing.k8s.io/traceparent", "tekton.dev/taskrunSpanContext"},
		MaxLinks: 8, CostLimit: 10_000,
	}
	change(&s)
	return s
}

// evaluate gives the facts about an object and what was reported, as "rule: outcome" or "rule: outcome: error".
func evaluate(t *testing.T, s Settings, o Object, text string) (Facts, []string) {
	t.Helper()
	rules, err := Compile(s)
	require.NoError(t, err)
	require.NoError(t, rules.Decode(&o, []byte(text)))
	var reports []string
	facts := rules.Evaluate(&o, func(rule string, outcome Outcome, err error) {
		line := rule + ": " + string(outcome)
		if err != nil {
			line += ": " + err.Error()
		}
		reports = append(reports, line)
	})
	return facts, reports
}

func TestARuleGivesLinks(t *testing.T) {
	for name, tt := range map[string]struct {
		target string
		object string
		want   []string
		report string
	}{
		"a map": {
			`{"group": "example.com", "resource": "apps", "namespace": object.metadata.namespace, "name": object.spec.parent}`,
			`{"metadata": {"namespace": "shop"}, "spec": {"parent": "all"}}`,
			[]string{"apps.example.com shop/all"},
			"r: found",
		},
		"a list": {
			`object.spec.parents.map(p, {"resource": "pods", "namespace": self.namespace, "name": p})`,
			`{"spec": {"parents": ["a", "b", "a"]}}`,
			[]string{"pods shop/a", "pods shop/b"},
			"r: found",
		},
		"a kind of a custom type":   {`{"apiVersion": "example.com/v1", "kind": "Fleet", "name": "f"}`, `{}`, []string{"kind Fleet.example.com f"}, "r: found"},
		"a kind of a built-in type": {`{"apiVersion": "v1", "kind": "Node", "namespace": "x", "name": "n"}`, `{}`, []string{"nodes n"}, "r: found"},
		"another cluster, by UID":   {`{"cluster": "other", "resource": "pods", "name": "n", "uid": "u2"}`, `{}`, []string{"pods n in other uid u2"}, "r: found"},
		"what the object lacks":     {`{"resource": "pods", "name": object.spec.a.b.c}`, `{"spec": {"a": {}}}`, nil, "r: absent"},
		"null in the object":        {`{"resource": "pods", "name": object.spec.a}`, `{"spec": {"a": null}}`, nil, "r: absent"},
		"an optional field":         {`{"resource": "pods", "name": "x", "uid": object.?spec.?uid}`, `{}`, []string{"pods x"}, "r: found"},
		"an optional target":        {`object.?spec.?ref`, `{}`, nil, "r: absent"},
		"null":                      {`null`, `{}`, nil, "r: absent"},
		"an empty name":             {`{"resource": "pods", "name": ""}`, `{}`, nil, "r: absent"},
		"itself":                    {`{"group": self.group, "resource": self.resource, "namespace": self.namespace, "name": self.name}`, `{}`, nil, "r: absent"},
		"neither resource nor kind": {`{"name": "x"}`, `{}`, nil, "r: failed: the target has neither resource nor kind"},
		"a text":                    {`"pods/x"`, `{}`, nil, "r: failed: the target must be a map, a list of maps or null, not string"},
		"a name that is a number":   {`{"resource": "pods", "name": object.spec.n}`, `{"spec": {"n": 1}}`, nil, "r: failed: the target's name must be a text, not double"},
		"an unknown field": {
			`{"resource": "pods", "title": "x"}`, `{}`, nil,
			`r: failed: the target has the unknown field title; known are apiVersion, class, cluster, group, kind, name, namespace, resource, role, uid, version`,
		},
		"too long":              {`{"resource": "pods", "name": object.spec.n}`, fmt.Sprintf(`{"spec": {"n": %q}}`, strings.Repeat("x", 513)), nil, "r: failed: name has 513 bytes, more than 512"},
		"some good, some not":   {`[{"resource": "pods", "name": "x"}, {"resource": "pods", "name": 1}]`, `{}`, []string{"pods x"}, "r: failed: the target's name must be a text, not int"},
		"more than the limit":   {`lists.range(9).map(i, {"resource": "pods", "name": string(i)})`, `{}`, []string{"pods 0", "pods 1", "pods 2", "pods 3", "pods 4", "pods 5", "pods 6", "pods 7"}, "r: cut"},
		"more than it may cost": {`lists.range(999).map(i, lists.range(999)).flatten().map(i, {"resource": "pods", "name": string(i)})`, `{}`, nil, "r: failed: operation cancelled: actual cost limit exceeded"}, //nolint:misspell // so it is spelled there
	} {
		t.Run(name, func(t *testing.T) {
			o, text := app(tt.object)
			facts, reports := evaluate(t, settings(func(s *Settings) {
				s.Rules = []Rule{{Name: "r", Match: appMatch, Target: tt.target, Role: "uses"}}
			}), o, text)
			var got []string
			for _, l := range facts.Links {
				assert.Equal(t, "uses", l.Role)
				got = append(got, describe(l.Target, "prod"))
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, []string{tt.report}, reports)
		})
	}
}

func TestATargetMayChangeRoleAndClass(t *testing.T) {
	o, text := app(`{}`)
	facts, _ := evaluate(t, settings(func(s *Settings) {
		s.Rules = []Rule{{Name: "r", Match: appMatch, Role: RoleParent, Class: "c", Place: true, Target: `[
			{"resource": "pods", "name": "a"}, {"resource": "pods", "name": "b", "role": "uses", "class": "d"}, {"resource": "pods", "name": "c", "role": "No Word"}]`}}
	}), o, text)
	require.Len(t, facts.Links, 2)
	assert.Equal(t, [4]any{RoleParent, "c", true, "a"}, [4]any{facts.Links[0].Role, facts.Links[0].Class, facts.Links[0].Place, facts.Links[0].Name})
	assert.Equal(t, [4]any{"uses", "d", false, "b"}, [4]any{facts.Links[1].Role, facts.Links[1].Class, facts.Links[1].Place, facts.Links[1].Name})
}

func TestRulesMatch(t *testing.T) {
	for name, tt := range map[string]struct {
		match Match
		want  bool
	}{
		"group and resource": {appMatch, true},
		"any":                {Match{Group: "*", Resource: "*"}, true},
		"part":               {Match{Group: "*.com", Resource: "app*"}, true},
		"namespace, cluster": {Match{Group: "example.com", Resource: "apps", Namespace: "sh*", Cluster: "prod"}, true},
		"core group":         {Match{Resource: "apps"}, false},
		"another resource":   {Match{Group: "example.com", Resource: "app"}, false},
		"another namespace":  {Match{Group: "example.com", Resource: "apps", Namespace: "x"}, false},
		"another cluster":    {Match{Group: "example.com", Resource: "apps", Cluster: "x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o, text := app(`{}`)
			facts, _ := evaluate(t, settings(func(s *Settings) {
				s.Rules = []Rule{{Name: "r", Match: tt.match, Role: "x", Target: `{"resource": "pods", "name": "p"}`}}
			}), o, text)
			assert.Equal(t, tt.want, len(facts.Links) == 1)
		})
	}
}

func TestTheAnnotationNamesAParent(t *testing.T) {
	for name, tt := range map[string]struct{ value, want, report string }{
		"whole":       {`{"cluster":"other","group":"apps","version":"v1","resource":"deployments","namespace":"n","name":"d","uid":"u2"}`, "deployments.apps n/d in other uid u2", "annotation: found"},
		"same":        {`{"group":"","version":"v1","resource":"nodes","name":"d"}`, "nodes d", "annotation: found"},
		"itself":      {`{"group":"example.com","version":"v1","resource":"apps","namespace":"shop","name":"web"}`, "", "annotation: absent"},
		"no name":     {`{"resource":"nodes"}`, "", "annotation: failed: the annotation lacks resource or name"},
		"no JSON":     {`nodes/d`, "", "annotation: failed: reading the annotation: invalid character 'o' in literal null (expecting 'u')"},
		"hostile":     {strings.Repeat("x", 5000), "", "annotation: failed: the annotation has 5000 bytes"},
		"number":      {`{"resource":"nodes","name":1}`, "", "annotation: failed: reading the annotation: json: cannot unmarshal number into Go struct field parentLink.name of type string"},
		"unknown too": {`{"resource":"nodes","name":"d","link-class":"x"}`, "nodes d", "annotation: found"},
	} {
		t.Run(name, func(t *testing.T) {
			o, text := app(fmt.Sprintf(`{"metadata": {"annotations": {"kelemetry.kubewharf.io/parent-link": %q}}}`, tt.value))
			facts, reports := evaluate(t, settings(func(s *Settings) { s.PlaceParents = true }), o, text)
			assert.Equal(t, []string{tt.report}, reports)
			if tt.want == "" {
				assert.Empty(t, facts.Links)
				return
			}
			require.Len(t, facts.Links, 1)
			link := facts.Links[0]
			assert.Equal(t, tt.want, describe(link.Target, "prod"))
			assert.Equal(t, [3]any{RoleParent, AnnotationRule, true}, [3]any{link.Role, link.Rule, link.Place})
		})
	}
}

func TestTraceContexts(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for name, tt := range map[string]struct {
		annotation, value string
		ok                bool
	}{
		"traceparent":        {"tracing.k8s.io/traceparent", parent, true},
		"of a later version": {"tracing.k8s.io/traceparent", "01" + parent[2:] + "-more", true},
		"of Tekton":          {"tekton.dev/taskrunSpanContext", `{"traceparent":"` + parent + `"}`, true},
		"zero":               {"tracing.k8s.io/traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
		"short":              {"tracing.k8s.io/traceparent", parent[:40], false},
		"no hex":             {"tracing.k8s.io/traceparent", strings.ReplaceAll(parent, "a", "x"), false},
		"version ff":         {"tracing.k8s.io/traceparent", "ff" + parent[2:], false},
		"no JSON":            {"tekton.dev/taskrunSpanContext", "{", false},
		"endless":            {"tracing.k8s.io/traceparent", parent + "-" + strings.Repeat("x", 1000), false},
	} {
		t.Run(name, func(t *testing.T) {
			o, text := app(fmt.Sprintf(`{"metadata": {"annotations": {%q: %q}}}`, tt.annotation, tt.value))
			facts, reports := evaluate(t, settings(func(*Settings) {}), o, text)
			require.Len(t, reports, 1)
			if !tt.ok {
				assert.Contains(t, reports[0], "trace context "+tt.annotation+": failed: ")
				assert.Empty(t, facts.Contexts)
				return
			}
			require.Len(t, facts.Contexts, 1)
			assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", facts.Contexts[0].Trace.String())
			assert.Equal(t, "b7ad6b7169203331", facts.Contexts[0].Span.String())
			assert.Equal(t, tt.annotation, facts.Contexts[0].Annotation)
		})
	}
}

func TestTags(t *testing.T) {
	for value, want := range map[string]any{
		`object.spec.text`:  "x",
		`object.spec.list`:  []string{"a", "b"},
		`object.spec.none`:  nil,
		`object.?spec.?n`:   1.5,
		`true`:              true,
		`1 + 1`:             int64(2),
		`""`:                nil,
		`[]`:                nil,
		`null`:              nil,
		`object.spec.long`:  strings.Repeat("x", 1024),
		`object.spec`:       "failed: a tag must be a text, a number, true or false, a list of texts or null, not map",
		`[1]`:               "failed: a tag's list must be of texts, not of int",
		`object.spec.n + 1`: "failed: no such overload",
	} {
		t.Run(value, func(t *testing.T) {
			o, text := app(`{"spec": {"text": "x", "list": ["a", "b"], "n": 1.5, "long": "` + strings.Repeat("x", 2000) + `"}}`)
			facts, reports := evaluate(t, settings(func(s *Settings) {
				s.Tags = []Tag{{Match: appMatch, Attribute: "example", Value: value}}
			}), o, text)
			if failure, ok := want.(string); ok && strings.HasPrefix(failure, "failed") {
				assert.Equal(t, []string{"tag example: " + failure}, reports)
				want = nil
			}
			if want == nil {
				assert.Empty(t, facts.Tags)
				return
			}
			assert.Equal(t, []TagValue{{"example", want}}, facts.Tags)
		})
	}
}

func TestCompileReportsAllErrorsWithTheirKeys(t *testing.T) {
	_, err := Compile(settings(func(s *Settings) {
		s.Presets = []string{"node", "nodes", "karmada"}
		s.PresetSettings = map[string]PresetSettings{"ocm": {}}
		s.Rules = []Rule{
			{Name: "node", Match: appMatch, Role: "x", Target: `{}`},
			{Name: "broken", Match: appMatch, Role: "x", Target: `object.`},
			{Name: "", Match: Match{}, Role: "Up", Class: "Down", Place: true, Target: `foo`},
		}
		s.Tags = []Tag{{Match: Match{Resource: "Pods"}, Attribute: "kelemetry.x", Value: `1 +`}}
	}))
	require.Error(t, err)
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.HasPrefix(line, " |") {
			lines = append(lines, line)
		}
	}
	assert.Equal(t, []string{
		`links::presets[1]: there is no preset "nodes"; there are argocd, cluster-api, config, crossplane, endpointslice, flux, helm, hpa, ingress, karmada, node, ocm, pvc, vcluster`,
		`links::preset_settings::karmada::cluster: the preset karmada needs it: objects in member clusters to their templates, bindings and works; cluster is the name of Karmada's own API server`,
		`links::preset_settings::ocm: the preset is not in presets`,
		`links::rules[0] (node)::name: links::presets[0] has the name "node" already`,
		`links::rules[1] (broken)::target: ERROR: <input>:1:8: Syntax error: no viable alternative at input '.'`,
		`links::rules[2] ()::name: must have 1 to 63 characters and not be "annotation", got ""`,
		`links::rules[2] ()::role: must be a lower-case word such as parent, got "Up"`,
		`links::rules[2] ()::class: must be empty or a lower-case word, got "Down"`,
		`links::rules[2] ()::place: only a rule of role parent can place an object, got role "Up"`,
		`links::rules[2] ()::match::resource: must be a plural such as deployments, or *`,
		`links::rules[2] ()::target: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')`,
		`tags[0] (kelemetry.x)::attribute: must not be empty nor begin with kelemetry., got "kelemetry.x"`,
		`tags[0] (kelemetry.x)::match::resource: must be a lower-case plural, got "Pods"`,
		`tags[0] (kelemetry.x)::value: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`,
	}, lines)
}

// TestOnlyWhatRulesLookAtIsDecoded, and all of that.
func TestOnlyWhatRulesLookAtIsDecoded(t *testing.T) {
	const object = `{"metadata": {"name": "n", "annotations": {"a": "1", "b": "2"}, "labels": {"l": "3"}}, "spec": {"x": {"y": [1], "z": null}, "w": 2}}`
	for expression, want := range map[string]string{
		`object.spec.w`:                          `map[spec:map[w:2]]`,
		`has(object.spec.x.y)`:                   `map[spec:map[x:map[y:[1]]]]`,
		`object.metadata.annotations["a"]`:       `map[metadata:map[annotations:map[a:1]]]`,
		`object.metadata.?annotations[?"b"]`:     `map[metadata:map[annotations:map[b:2]]]`,
		`"a" in object.metadata.annotations`:     `map[metadata:map[annotations:map[a:1 b:2]]]`,
		`object.metadata[self.name]`:             `map[metadata:map[annotations:map[a:1 b:2] labels:map[l:3] name:n]]`,
		`object["spec"].x.exists(k, k == "z")`:   `map[spec:map[x:map[y:[1]]]]`,
		`cel.bind(o, object.spec, o.w)`:          `map[spec:map[w:2 x:map[y:[1]]]]`,
		`[object.metadata.name, object.spec.w]`:  `map[metadata:map[name:n] spec:map[w:2]]`,
		`{"k": object.spec.w}`:                   `map[spec:map[w:2]]`,
		`self.name`:                              `map[]`,
		`object == null`:                         `map[metadata:map[annotations:map[a:1 b:2] labels:map[l:3] name:n] spec:map[w:2 x:map[y:[1]]]]`,
		`object.spec.x.y.map(i, object.spec.w)`:  `map[spec:map[w:2 x:map[y:[1]]]]`,
		`object.spec.w == 1 || object.other.x`:   `map[spec:map[w:2]]`,
		`object.spec.w.nonsense`:                 `map[spec:map[w:2]]`,
		`string(object.metadata.name).split("")`: `map[metadata:map[name:n]]`,
	} {
		env, err := newEnvironment()
		require.NoError(t, err)
		p, err := compile(env, expression, 1000)
		require.NoError(t, err, expression)
		got, err := p.reads.decode([]byte(object))
		require.NoError(t, err)
		assert.Equal(t, want, fmt.Sprint(got), expression)
	}
}

func TestTouched(t *testing.T) {
	rules, err := Compile(settings(func(s *Settings) { s.Presets = []string{"node", "pvc"} }))
	require.NoError(t, err)
	for path, want := range map[string]bool{
		"spec.nodeName": true, "spec": true, "spec.volumes": true, "status.phase": false, "spec.priority": false,
		"metadata.annotations": true, "metadata.labels": false,
	} {
		assert.Equal(t, want, rules.Touched("", "pods", strings.Split(path, ".")), path)
	}
	assert.True(t, rules.Touched("apps", "deployments", []string{"metadata", "annotations", "tracing.k8s.io/traceparent"}))
	assert.False(t, rules.Touched("apps", "deployments", []string{"metadata", "annotations", "other"}))
	none, err := Compile(Settings{MaxLinks: 1, CostLimit: 1})
	require.NoError(t, err)
	assert.False(t, none.Any())
	assert.False(t, none.Touched("", "pods", []string{"spec"}))
}

// FuzzObjects: whatever an object holds, all presets give targets that keep their limits.
func FuzzObjects(f *testing.F) {
	all := settings(func(s *Settings) {
		s.Presets = Presets()
		s.PresetSettings = presetSettings
	})
	rules, err := Compile(all)
	require.NoError(f, err)
	for _, name := range Presets() {
		for _, o := range readObjects(f, "testdata/presets/"+name+"/objects.yaml") {
			f.Add(o.Group, o.Object.Object.Resource, o.Namespace, o.text)
		}
	}
	f.Fuzz(func(t *testing.T, group, resource, namespace string, text []byte) {
		o := Object{Object: identity.Object{Cluster: "prod", Group: group, Resource: resource, Namespace: namespace, Name: "n"}}
		if rules.Decode(&o, text) != nil {
			return
		}
		facts := rules.Evaluate(&o, func(string, Outcome, error) {})
		require.LessOrEqual(t, len(facts.Links), 8)
		for _, l := range facts.Links {
			require.NotEmpty(t, l.Name)
			require.NotEqual(t, o.Object, l.Object)
			require.LessOrEqual(t, len(l.Name), maxText)
		}
	})
}

// BenchmarkEvaluate is what a new version of an object costs: the parts that rules look at decoded, and the rules.
func BenchmarkEvaluate(b *testing.B) {
	for _, tt := range []struct {
		presets []string
		object  string
	}{
		{[]string{"node", "hpa", "pvc", "ingress", "endpointslice"}, "node"},
		{[]string{"node", "hpa", "pvc", "ingress", "endpointslice", "helm", "argocd", "flux"}, "node"},
		{[]string{"hpa"}, "hpa"},
		{[]string{"ingress"}, "ingress"},
	} {
		b.Run(strings.Join(tt.presets, ","), func(b *testing.B) {
			rules, err := Compile(settings(func(s *Settings) { s.Presets = tt.presets }))
			require.NoError(b, err)
			o := readObjects(b, "testdata/presets/"+tt.object+"/objects.yaml")[0]
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, rules.Decode(&o.Object, o.text))
				rules.Evaluate(&o.Object, func(string, Outcome, error) {})
			}
		})
	}
}
