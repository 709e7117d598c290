// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/kelemetry/kelemetry/internal/diff"
)

func TestChangesReadAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		name        string
		group, kind string
		old, new    string // YAML
		changes     []string
		noise       []string
	}{
		{
			name: "a scalar", group: "apps", kind: "Deployment",
			old:     "{metadata: {resourceVersion: '1', generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1}}",
			new:     "{metadata: {resourceVersion: '2', generation: 2}, spec: {replicas: 4}, status: {observedGeneration: 2}}",
			changes: []string{"spec.replicas: 2 -> 4", "status.observedGeneration: 1 -> 2"},
			noise:   []string{"metadata.generation: 1 -> 2", `metadata.resourceVersion: "1" -> "2"`},
		},
		{
			name: "a container by its name", group: "apps", kind: "Deployment",
			old:     "{spec: {template: {spec: {containers: [{name: app, image: 'a:1'}, {name: proxy, image: p}]}}}}",
			new:     "{spec: {template: {spec: {containers: [{name: app, image: 'a:2'}, {name: proxy, image: p}]}}}}",
			changes: []string{`spec.template.spec.containers[name=app].image: "a:1" -> "a:2"`},
		},
		{
			name: "an item that was inserted changes no other", kind: "Pod",
			old:     "{spec: {containers: [{name: app}]}}",
			new:     "{spec: {containers: [{name: injected, image: x}, {name: app}]}}",
			changes: []string{`spec.containers[name=injected]: null -> {"image":"x","name":"injected"}`},
		},
		{
			name: "order alone is noise", kind: "Pod",
			old:   "{spec: {containers: [{name: a}, {name: b}]}}",
			new:   "{spec: {containers: [{name: b}, {name: a}]}}",
			noise: []string{`spec.containers (order): ["a","b"] -> ["b","a"]`},
		},
		{
			name: "one key as long as that is enough", kind: "Service",
			old:     "{spec: {ports: [{port: 80, protocol: TCP, targetPort: 1}, {port: 53, protocol: UDP}]}}",
			new:     "{spec: {ports: [{port: 80, protocol: TCP, targetPort: 2}, {port: 53, protocol: UDP}]}}",
			changes: []string{"spec.ports[port=80].targetPort: 1 -> 2"},
		},
		{
			name: "all keys where it is not", kind: "Service",
			old:     "{spec: {ports: [{port: 53, protocol: TCP, targetPort: 1}, {port: 53, protocol: UDP}]}}",
			new:     "{spec: {ports: [{port: 53, protocol: TCP, targetPort: 2}, {port: 53, protocol: UDP}]}}",
			changes: []string{"spec.ports[port=53,protocol=TCP].targetPort: 1 -> 2"},
		},
		{
			name: "keys that are not unique are no keys", kind: "Pod",
			old:     "{spec: {containers: [{name: a, env: [{name: X, value: '1'}, {name: X, value: '2'}]}]}}",
			new:     "{spec: {containers: [{name: a, env: [{name: X, value: '1'}, {name: X, value: '3'}]}]}}",
			changes: []string{`spec.containers[name=a].env[1].value: "2" -> "3"`},
		},
		{
			name: "a set", kind: "ConfigMap",
			old:     "{metadata: {finalizers: [example.com/a, example.com/b]}}",
			new:     "{metadata: {finalizers: [example.com/b, example.com/c]}}",
			changes: []string{`metadata.finalizers[=example.com/a]: "example.com/a" -> null`, `metadata.finalizers[=example.com/c]: null -> "example.com/c"`},
		},
		{
			name: "keys with dots", kind: "ConfigMap",
			old:     `{metadata: {annotations: {"example.com/x": "1", plain: a}}}`,
			new:     `{metadata: {annotations: {"example.com/x": "2", plain: a}}}`,
			changes: []string{`metadata.annotations["example.com/x"]: "1" -> "2"`},
		},
		{
			name: "conditions of a custom resource", group: "example.com", kind: "Widget",
			old:     "{status: {conditions: [{type: Ready, status: 'False'}, {type: Synced, status: 'True'}]}}",
			new:     "{status: {conditions: [{type: Synced, status: 'True'}, {type: Ready, status: 'True'}]}}",
			changes: []string{`status.conditions[type=Ready].status: "False" -> "True"`},
			noise:   []string{`status.conditions (order): ["Ready","Synced"] -> ["Synced","Ready"]`},
		},
		{
			name: "containers of a custom resource", group: "argoproj.io", kind: "Rollout",
			old:     "{spec: {template: {spec: {containers: [{name: app, image: a}, {name: b}]}}}}",
			new:     "{spec: {template: {spec: {containers: [{name: app, image: b}, {name: b}]}}}}",
			changes: []string{`spec.template.spec.containers[name=app].image: "a" -> "b"`},
		},
		{
			name: "a type by the name of a built-in one is not it", group: "apps.example.com", kind: "Deployment",
			old:     "{spec: {template: {spec: {imagePullSecrets: [{name: a}]}}}}",
			new:     "{spec: {template: {spec: {imagePullSecrets: [{name: b}]}}}}",
			changes: []string{`spec.template.spec.imagePullSecrets[name=a]: {"name":"a"} -> null`, `spec.template.spec.imagePullSecrets[name=b]: null -> {"name":"b"}`},
		},
		{
			name: "plain values by index, or as a whole", kind: "Pod",
			old:     "{spec: {containers: [{name: a, args: [x, w], command: [c]}]}}",
			new:     "{spec: {containers: [{name: a, args: [x, z], command: [b, c]}]}}",
			changes: []string{`spec.containers[name=a].args[1]: "w" -> "z"`, `spec.containers[name=a].command: ["c"] -> ["b","c"]`},
		},
		{
			name: "a subtree is one change", kind: "Pod",
			old:     "{metadata: {labels: {a: b}}, spec: {}}",
			new:     "{metadata: {}, spec: {affinity: {nodeAffinity: {x: {}}}}}",
			changes: []string{`metadata.labels: {"a":"b"} -> null`, `spec.affinity: null -> {"nodeAffinity":{"x":{}}}`},
		},
		{
			name: "quantities and times by value", group: "example.com", kind: "Widget",
			old:     `{spec: {resources: {limits: {cpu: 1000m, memory: 1Gi}}}, status: {lastSyncTime: "2026-01-01T00:00:00Z"}}`,
			new:     `{spec: {resources: {limits: {cpu: 1, memory: 2Gi}}}, status: {lastSyncTime: "2026-01-01T01:00:00+01:00"}}`,
			changes: []string{`spec.resources.limits.memory: "1Gi" -> "2Gi"`},
			noise:   []string{`spec.resources.limits.cpu: "1000m" -> 1`, `status.lastSyncTime: "2026-01-01T00:00:00Z" -> "2026-01-01T01:00:00+01:00"`},
		},
		{
			name: "but what people made up says what it says", kind: "ConfigMap",
			old:     `{data: {limits: {cpu: 1000m}, lastSyncTime: "2026-01-01T00:00:00Z"}}`,
			new:     `{data: {limits: {cpu: "1"}, lastSyncTime: "2026-01-01T01:00:00+01:00"}}`,
			changes: []string{`data.lastSyncTime: "2026-01-01T00:00:00Z" -> "2026-01-01T01:00:00+01:00"`, `data.limits.cpu: "1000m" -> "1"`},
		},
		{
			name: "a heartbeat is noise, a change beside it is not", kind: "Node",
			old:     "{status: {conditions: [{type: Ready, status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z'}]}}",
			new:     "{status: {conditions: [{type: Ready, status: 'False', lastHeartbeatTime: '2026-01-01T00:05:00Z'}]}}",
			changes: []string{`status.conditions[type=Ready].status: "True" -> "False"`},
			noise:   []string{`status.conditions[type=Ready].lastHeartbeatTime: "2026-01-01T00:00:00Z" -> "2026-01-01T00:05:00Z"`},
		},
		{
			name: "a change of type", kind: "Service",
			old:     "{spec: {ports: [{port: 80, targetPort: 8080}]}}",
			new:     "{spec: {ports: [{port: 80, targetPort: http}]}}",
			changes: []string{`spec.ports[port=80].targetPort: 8080 -> "http"`},
		},
		{
			name: "null is not nothing, but shows so", group: "example.com", kind: "Widget",
			old: "{spec: {a: null}}", new: "{spec: {}}",
			changes: []string{"spec.a: null -> null"},
		},
		{
			name: "redacted values differ by their mark", kind: "Secret",
			old:     `{data: {password: "<redacted:00000001>"}}`,
			new:     `{data: {password: "<redacted:00000002>"}}`,
			changes: []string{`data.password: "<redacted:00000001>" -> "<redacted:00000002>"`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := diff.New(diff.Options{Noise: diff.DefaultNoise()})
			got, err := d.Compare(jsonOf(t, c.old), jsonOf(t, c.new), diff.SchemaOf(c.group, c.kind))
			require.NoError(t, err)
			assert.Equal(t, c.changes, texts(got.Changes))
			assert.Equal(t, c.noise, texts(got.Noise))
			assert.Zero(t, got.Cut)
		})
	}
}

func TestSpellingIsNoChange(t *testing.T) {
	d := diff.New(diff.Options{})
	for _, c := range [][2]string{
		{`{"a":1,"b":{"c":[1,2]}}`, "{ \"b\" : {\"c\": [1, 2]},\n \"a\": 1 }\n"},
		{`{"a":"<b>"}`, `{"a":"\u003cb\u003e"}`},
	} {
		got, err := d.Compare([]byte(c[0]), []byte(c[1]), nil)
		require.NoError(t, err)
		assert.True(t, got.IsEmpty(), "%v", texts(got.Changes))
	}
}

func TestNumbersOfOtherSpellingAreNoise(t *testing.T) {
	got, err := diff.New(diff.Options{}).Compare([]byte(`{"a":1,"b":9007199254740992,"c":1.5}`), []byte(`{"a":1.0,"b":9007199254740993,"c":1.50}`), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"b: 9007199254740992 -> 9007199254740993"}, texts(got.Changes))
	assert.Equal(t, []string{"a: 1 -> 1.0", "c: 1.5 -> 1.50"}, texts(got.Noise))
}

func TestCutsSayThatTheyAreCuts(t *testing.T) {
	got, err := diff.New(diff.Options{MaxChanges: 2}).Compare([]byte(`{}`), []byte(`{"a":1,"b":2,"c":3,"d":4}`), nil)
	require.NoError(t, err)
	assert.Len(t, got.Changes, 2)
	assert.Equal(t, 2, got.Cut)

	html := diff.Change{Old: []byte(`"a\u003cb\u003e\u0026"`), New: []byte(`"\\u003c\\\u003c"`)}
	assert.Equal(t, `"a<b>&" -> "\\u003c\\<"`, html.Text(100), "API servers escape for HTML")
	long := diff.Change{Old: []byte(`"ÄÄÄÄ"`), New: []byte("1")}
	assert.Equal(t, `"ÄÄ… (5 bytes cut) -> 1`, long.Text(6))
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	for _, bad := range []string{"", "{", `{"a":}`, "{} {}"} {
		_, err := diff.New(diff.Options{}).Compare([]byte(bad), []byte("{}"), nil)
		require.ErrorContains(t, err, "old document")
		_, err = diff.New(diff.Options{}).Compare([]byte("{}"), []byte(bad), nil)
		require.ErrorContains(t, err, "new document")
	}
}

func TestWhatIsDeepIsOneChange(t *testing.T) {
	nest := func(core string) []byte {
		return []byte(strings.Repeat(`{"a":`, 5000) + core + strings.Repeat("}", 5000))
	}
	got, err := diff.New(diff.Options{}).Compare(nest("1"), nest("2"), nil)
	require.NoError(t, err)
	require.Len(t, got.Changes, 1)
	assert.Len(t, got.Changes[0].Path, 64)
}

func jsonOf(tb testing.TB, text string) []byte {
	tb.Helper()
	out, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(tb, err)
	require.True(tb, json.Valid(out))
	return out
}

func texts(changes []diff.Change) []string {
	var all []string
	for _, c := range changes {
		all = append(all, c.Name()+": "+c.Text(1000))
	}
	return all
}
