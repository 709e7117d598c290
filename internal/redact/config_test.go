// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDefaultIsValidAndHasAllRulesOn(t *testing.T) {
	config := NewDefaultConfig()
	require.NoError(t, config.Validate())
	for _, rule := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if rule.Type.Kind() == reflect.Bool {
			assert.True(t, reflect.ValueOf(config).FieldByIndex(rule.Index).Bool(), rule.Name)
		}
	}
}

func TestValidateReportsEverythingByItsKey(t *testing.T) {
	config := Config{
		LastAppliedAnnotations: []string{"a", ""},
		Paths: []PathRule{
			{"", "spec.a"}, {"[", "a..b"}, {"secrets", ""}, {"secrets", "a[0]"}, {"secrets", `a["b]`}, {"secrets", "a[*]b"}, {"secrets", `a[""]`}, {"a", "b."}, {"a", "b]"},
		},
		Objects:    []string{"(", ""},
		DropBodies: []string{".*", "*"},
		HashKey:    "short",
	}
	_, err := New(config)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		"last_applied_annotations[1]: must be the name of an annotation, got none",
		"paths[0]::resource: must be a glob for resource.group, got none",
		"paths[1]::resource: must be a glob for resource.group: syntax error in pattern",
		"paths[1]::path: must be keys joined by dots, such as spec.users[*].password",
		"paths[2]::path: ", "paths[3]::path: ", "paths[4]::path: ", "paths[5]::path: ", "paths[6]::path: ", "paths[7]::path: ", "paths[8]::path: ",
		"objects[0]: must be a regular expression of Go: ",
		"objects[1]: must be a regular expression, got none; .* matches every object",
		"drop_bodies[1]: must be a regular expression of Go: ",
		"hash_key: must be empty or at least 16 bytes, got 5",
	} {
		require.Greater(t, len(lines), i)
		assert.True(t, strings.HasPrefix(lines[i], want), "%q does not begin with %q", lines[i], want)
	}
	assert.Len(t, lines, 15)
}

func TestParsePath(t *testing.T) {
	for path, want := range map[string][]pathKey{
		"spec":                        {{name: "spec"}},
		".spec.a":                     {{name: "spec"}, {name: "a"}},
		"$.spec.a":                    {{name: "spec"}, {name: "a"}},
		"spec.*.a[*].b":               {{name: "spec"}, {any: true}, {name: "a"}, {any: true}, {name: "b"}},
		"[*]":                         {{any: true}},
		`metadata.x["a.b/c"]['d"'].e`: {{name: "metadata"}, {name: "x"}, {name: "a.b/c"}, {name: `d"`}, {name: "e"}},
		`["*"]`:                       {{name: "*"}},
	} {
		got, err := parsePath(path)
		require.NoError(t, err, path)
		assert.Equal(t, want, got, path)
	}
}

func TestDropsBody(t *testing.T) {
	config := NewDefaultConfig()
	config.DropBodies = []string{"^/v1/secrets/kube-system/"}
	r, err := New(config)
	require.NoError(t, err)
	for _, c := range []struct {
		target Target
		want   bool
	}{
		{Target{Version: "v1", Resource: "serviceaccounts", Subresource: "token", Namespace: "a", Name: "b"}, true},
		{Target{Version: "v1", Resource: "serviceaccounts", Namespace: "a", Name: "b"}, false},
		{Target{Group: "authentication.k8s.io", Version: "v1", Resource: "tokenreviews"}, true},
		{Target{Group: "authentication.k8s.io", Version: "v1", Resource: "selfsubjectreviews"}, true},
		{Target{Group: "authorization.k8s.io", Version: "v1", Resource: "localsubjectaccessreviews"}, true},
		{Target{Group: "certificates.k8s.io", Version: "v1", Resource: "certificatesigningrequests", Subresource: "approval"}, true},
		{Target{Group: "certificates.k8s.io", Version: "v1alpha1", Resource: "clustertrustbundles"}, false},
		{Target{Group: "imagepolicy.k8s.io", Version: "v1alpha1", Resource: "imagereviews"}, true},
		{Target{Group: "management.cattle.io", Version: "v3", Resource: "tokens"}, true},
		{Target{Group: "oauth.openshift.io", Version: "v1", Resource: "oauthaccesstokens"}, true},
		{Target{Group: "authorization.openshift.io", Version: "v1", Resource: "subjectaccessreviews"}, true},
		{Target{Version: "v1", Resource: "secrets", Namespace: "kube-system", Name: "x"}, true},
		{aSecret, false},
		{aPod, false},
		{aCustom, false},
	} {
		assert.Equal(t, c.want, r.DropsBody(c.target), "%+v", c.target)
	}
}

func TestREADMEListsEveryOption(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, of := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[PathRule]()} {
		for i := range of.NumField() {
			assert.Contains(t, string(readme), "`"+of.Field(i).Tag.Get("mapstructure")+"`", of.Name())
		}
	}
}
