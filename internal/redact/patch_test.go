// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJSONPatches(t *testing.T) {
	config := NewDefaultConfig()
	config.Paths = []PathRule{
		{"widgets.example.com", "spec.users[*].token"},
		{"widgets.example.com", "spec.ports.*.key"},
		{"widgets.example.com", `metadata.annotations["a.b/c"]`},
	}
	r, err := New(config)
	require.NoError(t, err)
	for _, c := range []struct {
		target    Target
		ops, want string // of [{"op":"add",…}]; X stands for a redacted value
	}{
		{aSecret, `"path":"/data/password","value":"x"`, `"path":"/data/password","value":X`},
		{aSecret, `"path":"/data/password","value":null`, `"path":"/data/password","value":null`},
		{aSecret, `"path":"/data","value":{"a":"x"}`, `"path":"/data","value":{"a":X}`},
		{aSecret, `"path":"/data/a/0","value":"x"`, `"path":"/data/a/0","value":X`},
		{aSecret, `"path":"/stringData/a~1b","value":"x"`, `"path":"/stringData/a~1b","value":X`},
		{aSecret, `"path":"","value":{"data":{"a":"x"},"type":"t"}`, `"path":"","value":{"data":{"a":X},"type":"t"}`},
		{aSecret, `"path":"/","value":"x"`, `"path":"/","value":X`},
		{aSecret, `"path":"/type","value":"Opaque"`, `"path":"/type","value":"Opaque"`},
		{aSecret, `"path":"/unknown","value":"x"`, `"path":"/unknown","value":X`},
		{aSecret, `"path":"/metadata/labels/a","value":"b"`, `"path":"/metadata/labels/a","value":"b"`},
		{aSecret, `"path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration","value":"x"`, `"path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration","value":X`},
		{aSecret, `"path":"/metadata/managedFields","value":[{}]`, `"path":"/metadata/managedFields","value":X`},
		{aSecret, `"path":"/metadata/managedFields/0/time","value":"x"`, `"path":"/metadata/managedFields/0/time","value":X`},
		{aSecret, `"value":"x","path":"/data/password"`, `"value":X,"path":"/data/password"`},
		{aSecret, `"from":"/data/a","path":"/data/b"`, `"from":"/data/a","path":"/data/b"`},

		{aConfigMap, `"path":"/data/a","value":"x"`, `"path":"/data/a","value":X`},
		{aConfigMap, `"path":"/metadata/finalizers/0","value":"f"`, `"path":"/metadata/finalizers/0","value":"f"`},

		{aDeployment, `"path":"/spec/replicas","value":3`, `"path":"/spec/replicas","value":3`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/env/1/value","value":"x"`, `"path":"/spec/template/spec/containers/0/env/1/value","value":X`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/env/-","value":{"name":"A","value":"x"}`, `"path":"/spec/template/spec/containers/0/env/-","value":{"name":"A","value":X}`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/env","value":[{"name":"A","value":"x"}]`, `"path":"/spec/template/spec/containers/0/env","value":[{"name":"A","value":X}]`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/env","value":"x"`, `"path":"/spec/template/spec/containers/0/env","value":X`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/env/A","value":"x"`, `"path":"/spec/template/spec/containers/0/env/A","value":X`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/env/0/valueFrom","value":{"secretKeyRef":{"name":"s"}}`, `"path":"/spec/template/spec/containers/0/env/0/valueFrom","value":{"secretKeyRef":{"name":"s"}}`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/args/2","value":"x"`, `"path":"/spec/template/spec/containers/0/args/2","value":X`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/livenessProbe/httpGet/httpHeaders/0/value","value":"x"`, `"path":"/spec/template/spec/containers/0/livenessProbe/httpGet/httpHeaders/0/value","value":X`},
		{aDeployment, `"path":"/spec/template/spec/containers/0","value":{"image":"i","args":["x"]}`, `"path":"/spec/template/spec/containers/0","value":{"image":"i","args":[X]}`},
		{aDeployment, `"path":"/spec/template/spec/containers/0/image","value":"i"`, `"path":"/spec/template/spec/containers/0/image","value":"i"`},
		{aDeployment, `"path":"/spec","value":{"template":{"spec":{"containers":[{"args":["x"]}]}}}`, `"path":"/spec","value":{"template":{"spec":{"containers":[{"args":[X]}]}}}`},
		{aCustom, `"path":"/spec/steps/0/env/0/value","value":"x"`, `"path":"/spec/steps/0/env/0/value","value":X`},
		{aCustom, `"path":"/spec/env/A","value":"x"`, `"path":"/spec/env/A","value":X`},
		{aCustom, `"path":"/spec/labels/env","value":"prod"`, `"path":"/spec/labels/env","value":"prod"`},
		{aCustom, `"path":"/spec/manifests/0/data/a","value":"x"`, `"path":"/spec/manifests/0/data/a","value":X`},
		{aCustom, `"path":"/spec/manifests/-","value":{"data":{"a":"x"},"kind":"Secret"}`, `"path":"/spec/manifests/-","value":{"data":{"a":X},"kind":"Secret"}`},
		{aCustom, `"path":"/spec/users/0/token","value":"x"`, `"path":"/spec/users/0/token","value":X`},
		{aCustom, `"path":"/spec/users/0","value":{"name":"n","token":"x"}`, `"path":"/spec/users/0","value":{"name":"n","token":X}`},
		{aCustom, `"path":"/spec/users","value":[{"token":"x"}]`, `"path":"/spec/users","value":[{"token":X}]`},
		{aCustom, `"path":"/spec/users/0/token/deeper","value":"x"`, `"path":"/spec/users/0/token/deeper","value":X`},
		{aCustom, `"path":"/spec/ports/80/key","value":"x"`, `"path":"/spec/ports/80/key","value":X`},
		{aCustom, `"path":"/metadata/annotations/a.b~1c","value":"x"`, `"path":"/metadata/annotations/a.b~1c","value":X`},

		{aCustom, `"value":"x"`, `"value":X`},
		{aCustom, `"path":"spec/replicas","value":"x"`, `"path":"spec/replicas","value":X`},
		{aCustom, `"path":"/a","value":"x","path":"/data"`, `"path":"/a","value":X,"path":"/data"`},
		{aCustom, `"path":["x"],"value":"x"`, `"path":X,"value":X`},
		{aCustom, `"path":"/a","value":1,"other":"x"`, `"path":"/a","value":1,"other":X`},
		{aCustom, `"p\u0061th":"/spec/users/0/token","v\u0061lue":"x"`, `"p\u0061th":"/spec/users/0/token","v\u0061lue":X`},

		{Target{Resource: "nodes", Sensitive: true}, `"path":"/spec/taints/0","value":"x"`, `"path":"/spec/taints/0","value":X`},
		{Target{Resource: "nodes", Sensitive: true}, `"path":"/metadata/annotations/a","value":"x"`, `"path":"/metadata/annotations/a","value":X`},
	} {
		out, redacted, err := r.AppendPatch([]byte("> "), c.target, []byte(` [ {"op":"add", `+c.ops+` } ] `))
		require.NoError(t, err, c.ops)
		assert.Equal(t, `> [{"op":"add",`+strings.ReplaceAll(c.want, "X", `"<redacted>"`)+`}]`, string(out))
		assert.Equal(t, strings.Count(c.want, "X"), redacted, c.ops)
	}
}

func TestAPatchThatSetsTheLabelIsOfALabeledObject(t *testing.T) {
	const path = `{"path":"/metadata/labels/kelemetry.kubewharf.io~1diff-redacted","value":"true"}`
	const whole = `{"path":"/metadata","value":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"true"}}}`
	const document = `{"path":"","value":{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"true"}}}}`
	for _, op := range []string{path, whole, document} {
		for _, patch := range []string{`[{"path":"/spec/a","value":"hunter2"},` + op + `]`, `[` + op + `,{"path":"/spec/a","value":"hunter2"}]`} {
			out, redacted, err := defaultRedactor(t).AppendPatch(nil, aCustom, []byte(patch))
			require.NoError(t, err)
			assert.Equal(t, strings.ReplaceAll(patch, `"hunter2"`, `"<redacted>"`), string(out))
			assert.Equal(t, 1, redacted)
		}
	}
}

func TestWhatIsNoOperationIsReplaced(t *testing.T) {
	out, redacted, err := defaultRedactor(t).AppendPatch(nil, aCustom, []byte(`[1,"x",["y"],{},null,{"spec":{"a":1}}]`))
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(`[X,X,X,{},null,{"spec":X}]`, "X", `"<redacted>"`), string(out))
	assert.Equal(t, 4, redacted)
}
