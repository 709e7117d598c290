// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	aSecret     = Target{Version: "v1", Resource: "secrets", Namespace: "default", Name: "db"}
	aConfigMap  = Target{Version: "v1", Resource: "configmaps", Namespace: "default", Name: "app"}
	aPod        = Target{Version: "v1", Resource: "pods", Namespace: "default", Name: "web"}
	aDeployment = Target{Group: "apps", Version: "v1", Resource: "deployments", Namespace: "default", Name: "web"}
	aCustom     = Target{Group: "example.com", Version: "v1", Resource: "widgets", Namespace: "default", Name: "w"}
)

// objectCase is a body and what is left of it. In want, X stands for a redacted value.
type objectCase struct {
	name   string
	target Target
	body   string
	want   string
}

func (c objectCase) run(t *testing.T, config Config) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		r, err := New(config)
		require.NoError(t, err)
		for name, redact := range map[string]func([]byte, Target, []byte) ([]byte, int, error){
			"object": r.AppendObject, "patch": r.AppendPatch,
		} {
			out, redacted, err := redact([]byte("> "), c.target, []byte(c.body))
			require.NoError(t, err, name)
			assert.Equal(t, "> "+strings.ReplaceAll(c.want, "X", `"<redacted>"`), string(out), name)
			assert.Equal(t, strings.Count(c.want, "X"), redacted, name)
		}
	})
}

func TestSecretsKeepTheirKeysOnly(t *testing.T) {
	for _, c := range []objectCase{
		{
			"as the API server writes it", aSecret,
			`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db","labels":{"a":"b"},"managedFields":[{"manager":"kubectl"}]},"data":{"password":"aHVudGVyMg==","user":"YQ=="},"type":"Opaque"}`,
			`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db","labels":{"a":"b"}},"data":{"password":X,"user":X},"type":"Opaque"}`,
		},
		{
			"as a map is written, with white space", aSecret,
			" { \"apiVersion\" : \"v1\",\n\"data\": {\"a\": \"YQ==\", \"b\" :\"Yg==\"},\t\"kind\":\"Secret\" , \"immutable\": true } ",
			`{"apiVersion":"v1","data":{"a":X,"b":X},"kind":"Secret","immutable":true}`,
		},
		{"a merge patch; null deletes and hides nothing", aSecret, `{"stringData":{"a":"x"},"data":{"b":null}}`, `{"stringData":{"a":X},"data":{"b":null}}`},
		{"no data", aSecret, `{"data":null,"stringData":{}}`, `{"data":null,"stringData":{}}`},
		{"values of any type", aSecret, `{"data":{"a":1,"b":true,"c":["x",{"y":"z"}],"d":{"e":"f"},"g":""}}`, `{"data":{"a":X,"b":X,"c":X,"d":X,"g":X}}`},
		{"data of any type", aSecret, `{"data":["x"],"stringData":"y"}`, `{"data":X,"stringData":X}`},
		{"metadata of any type", aSecret, `{"metadata":["x"],"metadata":"y"}`, `{"metadata":X,"metadata":X}`},
		{"key names of any form", aSecret, `{"\u0064ata":{"a\"b":"x"},"data":{"c":"y"},"data":{"d":"z"}}`, `{"\u0064ata":{"a\"b":X},"data":{"c":X},"data":{"d":X}}`},
		{"misspelled fields", aSecret, `{"Data":{"a":"x"},"stringdata":{"b":"y"},"data ":"z","spec":{"c":1}}`, `{"Data":X,"stringdata":X,"data ":X,"spec":X}`},
		{"type is a scalar", aSecret, `{"type":{"a":"x"},"immutable":["y"],"kind":{"z":1}}`, `{"type":X,"immutable":X,"kind":X}`},
		{
			"a list",
			Target{Version: "v1", Resource: "secrets"},
			`{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"},"data":{"k":"x"}},{"data":{"k":"y"}},"z",["w"]]}`,
			`{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"},"data":{"k":X}},{"data":{"k":X}},X,X]}`,
		},
		{
			"a table",
			Target{Version: "v1", Resource: "secrets"},
			`{"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[{"cells":["a","Opaque",1],"object":{"kind":"Secret","data":{"k":"x"}}}]}`,
			`{"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[{"cells":X,"object":{"kind":"Secret","data":{"k":X}}}]}`,
		},
		{
			"a failure", aSecret,
			`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Secret \"db\" is invalid: hunter2","reason":"Invalid","details":{"name":"db","kind":"Secret","causes":[{"reason":"FieldValueInvalid","message":"hunter2","field":"data[a]"}],"x":"y"},"code":422}`,
			`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":X,"reason":"Invalid","details":{"name":"db","kind":"Secret","causes":[{"reason":"FieldValueInvalid","message":X,"field":"data[a]"}],"x":X},"code":422}`,
		},
		{"options of a delete", aSecret, `{"kind":"DeleteOptions","propagationPolicy":"Background","preconditions":{"uid":"u"}}`, `{"kind":"DeleteOptions","propagationPolicy":"Background","preconditions":{"uid":"u"}}`},
		{
			"the copy of it", aSecret,
			`{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"x\"}}","note":"kept"}}}`,
			`{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":X,"note":"kept"}}}`,
		},
		{"a body that is no object", aSecret, `"hunter2"`, `X`},
		{"null", aSecret, ` null `, `null`},
		{
			"wherever one is embedded, kind first", aCustom,
			`{"spec":{"manifests":[{"kind":"Secret","data":{"a":"x"},"stringData":{"b":"y"}},{"kind":"Service","data":{"a":"kept"}}],"ref":{"kind":"Secret","name":"kept"}}}`,
			`{"spec":{"manifests":[{"kind":"Secret","data":{"a":X},"stringData":{"b":X}},{"kind":"Service","data":{"a":"kept"}}],"ref":{"kind":"Secret","name":"kept"}}}`,
		},
		{
			"wherever one is embedded, kind last", aCustom,
			`{"spec":{"a":{"apiVersion":"v1","data":{"a":"x"},"kind":"Secret"},"b":{"data":{"a":"kept"},"kind":"Service"}}}`,
			`{"spec":{"a":{"apiVersion":"v1","data":{"a":X},"kind":"Secret"},"b":{"data":{"a":"kept"},"kind":"Service"}}}`,
		},
		{"in a list of anything", aCustom, `{"items":[{"data":{"a":"x"},"kind":"Secret"}],"kind":"List"}`, `{"items":[{"data":{"a":X},"kind":"Secret"}],"kind":"List"}`},
		{"in an embedded list", aCustom, `{"a":{"items":[{"data":{"a":"x"}}],"kind":"SecretList"}}`, `{"a":{"items":[{"data":{"a":X}}],"kind":"SecretList"}}`},
		{"part of one", aCustom, `{"template":{"stringData":{"a":"x"}}}`, `{"template":{"stringData":{"a":X}}}`},
		{"with the wrong target", aPod, `{"data":{"a":"x"},"kind":"Secret"}`, `{"data":{"a":X},"kind":"Secret"}`},
	} {
		c.run(t, NewDefaultConfig())
	}
}

func TestConfigMapsKeepTheirKeysOnly(t *testing.T) {
	for _, c := range []objectCase{
		{
			"one", aConfigMap,
			`{"kind":"ConfigMap","metadata":{"name":"app"},"data":{"a.yaml":"x: y"},"binaryData":{"b":"eA=="},"immutable":true}`,
			`{"kind":"ConfigMap","metadata":{"name":"app"},"data":{"a.yaml":X},"binaryData":{"b":X},"immutable":true}`,
		},
		{"stringData is none of its fields", aConfigMap, `{"stringData":{"a":"x"}}`, `{"stringData":X}`},
		{"embedded", aCustom, `{"spec":{"data":{"a":"x"},"binaryData":{"b":"y"},"kind":"ConfigMap"}}`, `{"spec":{"data":{"a":X},"binaryData":{"b":X},"kind":"ConfigMap"}}`},
	} {
		c.run(t, NewDefaultConfig())
	}
}

func TestContainersKeepNamesOnly(t *testing.T) {
	for _, c := range []objectCase{
		{
			"environment", aPod,
			`{"spec":{"containers":[{"name":"a","env":[{"name":"A","value":"x"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},{"name":"C"}],"envFrom":[{"secretRef":{"name":"s"}}]}]}}`,
			`{"spec":{"containers":[{"name":"a","env":[{"name":"A","value":X},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},{"name":"C"}],"envFrom":[{"secretRef":{"name":"s"}}]}]}}`,
		},
		{
			"all kinds of containers of a template", aDeployment,
			`{"spec":{"template":{"spec":{"initContainers":[{"env":[{"value":"x"}]}],"ephemeralContainers":[{"env":[{"value":"y"}]}],"containers":[{"args":["--a=x","b"],"command":["sh"],"image":"i"}]}}}}`,
			`{"spec":{"template":{"spec":{"initContainers":[{"env":[{"value":X}]}],"ephemeralContainers":[{"env":[{"value":X}]}],"containers":[{"args":[X,X],"command":[X],"image":"i"}]}}}}`,
		},
		{
			"probes and hooks", aPod,
			`{"spec":{"containers":[{"livenessProbe":{"httpGet":{"path":"/","port":80,"httpHeaders":[{"name":"Authorization","value":"x"}]}},"lifecycle":{"preStop":{"exec":{"command":["a","b"]}}}}]}}`,
			`{"spec":{"containers":[{"livenessProbe":{"httpGet":{"path":"/","port":80,"httpHeaders":[{"name":"Authorization","value":X}]}},"lifecycle":{"preStop":{"exec":{"command":[X,X]}}}}]}}`,
		},
		{
			"weird types", aPod,
			`{"spec":{"containers":[{"env":"A=x","args":"x","command":{"a":"x"}},{"env":{"A":"x"}},{"env":["A=x",["y"],{"name":["z"],"value":{"a":1},"other":"w","valueFrom":null}]},"kept"]}}`,
			`{"spec":{"containers":[{"env":X,"args":X,"command":X},{"env":X},{"env":[X,X,{"name":X,"value":X,"other":X,"valueFrom":null}]},"kept"]}}`,
		},
		{"containers by name", aCustom, `{"spec":{"containers":{"app":{"env":[{"name":"A","value":"x"}],"image":"i"}}}}`, `{"spec":{"containers":{"app":{"env":[{"name":"A","value":X}],"image":"i"}}}}`},
		{
			"custom resources with steps of their own", aCustom,
			`{"spec":{"steps":[{"image":"i","env":[{"name":"A","value":"x"},"B=y"],"args":["x"]}],"podTemplate":{"spec":{"containers":[{"args":["y"]}]}}}}`,
			`{"spec":{"steps":[{"image":"i","env":[{"name":"A","value":X},X],"args":[X]}],"podTemplate":{"spec":{"containers":[{"args":[X]}]}}}}`,
		},
		{"what only has the same name", aCustom, `{"metadata":{"labels":{"env":"prod","command":"c"}},"spec":{"env":"prod","containers":3}}`, `{"metadata":{"labels":{"env":"prod","command":"c"}},"spec":{"env":"prod","containers":3}}`},
		{
			"maps and strings of that name elsewhere", aCustom,
			`{"spec":{"values":{"env":{"A":"x","B":{"valueFrom":{"name":"kept"}},"C":["x"]},"args":{"a":1},"command":"x"}}}`,
			`{"spec":{"values":{"env":{"A":X,"B":{"valueFrom":{"name":"kept"}},"C":[X]},"args":{"a":X},"command":X}}}`,
		},
		{
			"a schema",
			Target{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions", Name: "c"},
			`{"spec":{"schema":{"properties":{"containers":{"type":"array","items":{"properties":{"env":{"type":"array"},"args":{"type":"array"}},"required":["env"]}}}}}}`,
			`{"spec":{"schema":{"properties":{"containers":{"type":"array","items":{"properties":{"env":{"type":"array"},"args":{"type":"array"}},"required":["env"]}}}}}}`,
		},
		{
			"a strategic merge patch", aDeployment,
			`{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"a","$setElementOrder/env":[{"name":"A"}],"env":[{"name":"A","value":"x"},{"$patch":"delete","name":"B"}],"$deleteFromPrimitiveList/args":["y"]}]}}}}`,
			`{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"a","$setElementOrder/env":[{"name":"A"}],"env":[{"name":"A","value":X},{"$patch":"delete","name":"B"}],"$deleteFromPrimitiveList/args":[X]}]}}}}`,
		},
	} {
		c.run(t, NewDefaultConfig())
	}
}

func TestFullCopiesInAnnotationsAreRedacted(t *testing.T) {
	config := NewDefaultConfig()
	config.LastAppliedAnnotations = []string{"example.com/copy"}
	objectCase{
		"at any depth", aDeployment,
		`{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","banzaicloud.com/last-applied":"UEsDB","objectset.rio.cattle.io/applied":"H4s","kapp.k14s.io/original":"{}","kopf.zalando.org/last-handled-configuration":"{}","example.com/copy":"{}","example.com/other":"kept"}},"spec":{"template":{"metadata":{"annotations":{"pingcap.com/last-applied-configuration":{"a":"x"}}}},"annotations":"odd"}}`,
		`{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":X,"banzaicloud.com/last-applied":X,"objectset.rio.cattle.io/applied":X,"kapp.k14s.io/original":X,"kopf.zalando.org/last-handled-configuration":X,"example.com/copy":X,"example.com/other":"kept"}},"spec":{"template":{"metadata":{"annotations":{"pingcap.com/last-applied-configuration":X}}},"annotations":X}}`,
	}.run(t, config)
}

func TestObjectsOfWhichOnlyMetadataIsShown(t *testing.T) {
	marked := `"labels":{"kelemetry.kubewharf.io/diff-redacted":"true"}`
	for _, c := range []objectCase{
		{
			"label before the rest", aCustom,
			`{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"w",` + marked + `,"annotations":{"a":"x"},"managedFields":[]},"spec":{"a":"y"},"status":{}}`,
			`{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"w",` + marked + `,"annotations":{"a":X}},"spec":X,"status":X}`,
		},
		{
			"label behind the rest", aCustom,
			`{"apiVersion":"v1","data":"x","metadata":{"annotations":{"a":"y"},` + marked + `}}`,
			`{"apiVersion":"v1","data":X,"metadata":{"annotations":{"a":X},` + marked + `}}`,
		},
		{
			"some of a list", aCustom,
			`{"kind":"WidgetList","items":[{"spec":"x","metadata":{` + marked + `}},{"spec":"kept","metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"false"}}},{"spec":"kept"}]}`,
			`{"kind":"WidgetList","items":[{"spec":X,"metadata":{` + marked + `}},{"spec":"kept","metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"false"}}},{"spec":"kept"}]}`,
		},
		{"a label of a wrong type", aCustom, `{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":[]}},"spec":1}`, `{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":[]}},"spec":X}`},
		{"an escaped label", aCustom, `{"metadata":{"labels":{"kelemetry.kubewharf.io\/diff-redacted":"yes"}},"spec":1}`, `{"metadata":{"labels":{"kelemetry.kubewharf.io\/diff-redacted":"yes"}},"spec":X}`},
		{"a label that a patch removes", aCustom, `{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":null}},"spec":"kept"}`, `{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":null}},"spec":"kept"}`},
		{"labels of something else", aDeployment, `{"spec":{"template":{"metadata":{` + marked + `},"spec":"kept"}}}`, `{"spec":{"template":{"metadata":{` + marked + `},"spec":"kept"}}}`},
		{"the caller knows", Target{Resource: "widgets", Group: "example.com", Sensitive: true}, `{"spec":{"a":"x"}}`, `{"spec":X}`},
		{"a token that should not have come here", Target{Version: "v1", Resource: "serviceaccounts", Subresource: "token"}, `{"kind":"TokenRequest","spec":{"audiences":["a"]},"status":{"token":"x"}}`, `{"kind":"TokenRequest","spec":X,"status":X}`},
		{"a token by its kind", aCustom, `{"a":{"status":{"token":"x"},"kind":"TokenReview"}}`, `{"a":{"status":X,"kind":"TokenReview"}}`},
	} {
		c.run(t, NewDefaultConfig())
	}
}

func TestObjectsByRegularExpression(t *testing.T) {
	config := NewDefaultConfig()
	config.Objects = []string{"^example.com/v1/widgets/default/hidden$", "^/v1/nodes//"}
	for _, c := range []objectCase{
		{"by the request", Target{Version: "v1", Resource: "nodes", Name: "n"}, `{"metadata":{"name":"n","annotations":{"a":"b"}},"spec":{}}`, `{"metadata":{"name":"n","annotations":{"a":X}},"spec":X}`},
		{"another one", aCustom, `{"metadata":{"name":"w"},"spec":{}}`, `{"metadata":{"name":"w"},"spec":{}}`},
		{"by the name that the response shows", Target{Group: "example.com", Version: "v1", Resource: "widgets", Namespace: "default"}, `{"spec":{},"metadata":{"name":"hidden"}}`, `{"spec":X,"metadata":{"name":"hidden"}}`},
		{
			"in a list over namespaces",
			Target{Group: "example.com", Version: "v1", Resource: "widgets"},
			`{"items":[{"metadata":{"name":"hidden","namespace":"default"},"spec":1},{"metadata":{"name":"hidden","namespace":"other"},"spec":2},{"spec":3,"metadata":{"namespace":"default","name":"hidden"}}]}`,
			`{"items":[{"metadata":{"name":"hidden","namespace":"default"},"spec":X},{"metadata":{"name":"hidden","namespace":"other"},"spec":2},{"spec":X,"metadata":{"namespace":"default","name":"hidden"}}]}`,
		},
	} {
		c.run(t, config)
	}
}

func TestPathsOfTheConfiguration(t *testing.T) {
	config := NewDefaultConfig()
	config.Paths = []PathRule{
		{"*.example.com", "spec.password"},
		{"*.example.com", "spec.users[*].token"},
		{"*.example.com", "spec.groups.secret"},
		{"widgets.example.com", "spec.map.*.key"},
		{"widgets.example.com", "spec.list[*]"},
		{"widgets", `metadata.annotations["example.com/key"]`},
		{"gadgets", "spec"},
	}
	for _, c := range []objectCase{
		{"a field", aCustom, `{"spec":{"password":"x","passwords":"kept","a":{"password":"kept"}},"password":"kept"}`, `{"spec":{"password":X,"passwords":"kept","a":{"password":"kept"}},"password":"kept"}`},
		{"a field of any type", aCustom, `{"spec":{"password":{"a":["x"]}}}`, `{"spec":{"password":X}}`},
		{"items", aCustom, `{"spec":{"users":[{"name":"a","token":"x"},{"token":["y"]},[{"token":"z"}]]}}`, `{"spec":{"users":[{"name":"a","token":X},{"token":X},[{"token":X}]]}}`},
		{"a list that the path does not mention", aCustom, `{"spec":[{"password":"x"}]}`, `{"spec":[{"password":X}]}`},
		{"a map where the path has a list", aCustom, `{"spec":{"users":{"a":{"token":"x"}}}}`, `{"spec":{"users":{"a":{"token":X}}}}`},
		{"no list where the path has none", aCustom, `{"spec":{"groups":[{"secret":"x"}]}}`, `{"spec":{"groups":[{"secret":X}]}}`},
		{"any key", aCustom, `{"spec":{"map":{"a":{"key":"x","other":"kept"},"b":{"key":"y"}}}}`, `{"spec":{"map":{"a":{"key":X,"other":"kept"},"b":{"key":X}}}}`},
		{"all items", aCustom, `{"spec":{"list":["x",{"y":1}]}}`, `{"spec":{"list":[X,X]}}`},
		{"a key with dots", aCustom, `{"metadata":{"annotations":{"example.com/key":"x","example":{"com/key":"kept"}}}}`, `{"metadata":{"annotations":{"example.com/key":X,"example":{"com/key":"kept"}}}}`},
		{"an escaped key", aCustom, `{"spec":{"pass\u0077ord":"x"}}`, `{"spec":{"pass\u0077ord":X}}`},
		{"each item of a list", aCustom, `{"kind":"WidgetList","items":[{"spec":{"password":"x"}}],"spec":{"password":"y"}}`, `{"kind":"WidgetList","items":[{"spec":{"password":X}}],"spec":{"password":X}}`},
		{"objects in a table", aCustom, `{"kind":"Table","rows":[{"object":{"spec":{"password":"x"}}}]}`, `{"kind":"Table","rows":[{"object":{"spec":{"password":X}}}]}`},
		{
			"a failure, whose message may quote a value", aCustom,
			`{"kind":"Status","status":"Failure","message":"spec.password: Invalid value: \"x\"","reason":"Invalid","details":{"name":"w","causes":[{"message":"x"}]},"code":422}`,
			`{"kind":"Status","status":"Failure","message":X,"reason":"Invalid","details":{"name":"w","causes":[{"message":X}]},"code":422}`,
		},
		{"another resource", Target{Group: "example.org", Resource: "things"}, `{"spec":{"password":"kept"}}`, `{"spec":{"password":"kept"}}`},
		{"a resource of any group", Target{Group: "example.org", Resource: "gadgets"}, `{"spec":{"a":1}}`, `{"spec":X}`},
	} {
		c.run(t, config)
	}
}

func TestMessagesInBodiesLoseDumps(t *testing.T) {
	for _, c := range []objectCase{
		{
			"a condition", aDeployment,
			`{"status":{"conditions":[{"message":"ReplicaSet \"web-1\" has timed out progressing."},{"message":"Pod \"a\" is invalid: spec: Invalid value: {\"env\":[{\"value\":\"hunter2\"}]}: field is immutable"}]}}`,
			`{"status":{"conditions":[{"message":"ReplicaSet \"web-1\" has timed out progressing."},{"message":"Pod \"a\" is invalid: spec: Invalid value: {<redacted>}: field is immutable"}]}}`,
		},
		{
			"an Event",
			Target{Group: "events.k8s.io", Resource: "events"},
			"{\"note\":\"Error: {\\\"a\\\":1}\\n\\u0000\u2028é\"}",
			"{\"note\":\"Error: {<redacted>}\\n\\u0000\u2028é\"}",
		},
		{"what is no text", aDeployment, `{"message":{"message":["{"]},"note":1}`, `{"message":{"message":["{"]},"note":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _, err := defaultRedactor(t).AppendObject(nil, c.target, []byte(c.body))
			require.NoError(t, err)
			assert.Equal(t, c.want, string(out))
		})
	}
}

func TestEachRuleCanBeSwitchedOff(t *testing.T) {
	body := `{"kind":"Secret","metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"true"},"annotations":{"a/last-applied":"x"}},"data":{"a":"x"},` +
		`"other":{"kind":"ConfigMap","data":{"a":"x"}},"token":{"kind":"TokenRequest","spec":1},` +
		`"spec":{"containers":[{"env":[{"value":"x"}],"args":["x"],"command":["x"],"httpHeaders":[{"value":"x"}]}],"env":[{"value":"x"}]},"message":"{x}"}`
	r, err := New(Config{})
	require.NoError(t, err)
	for _, target := range []Target{aPod, aSecret, aConfigMap, {Version: "v1", Resource: "serviceaccounts", Subresource: "token"}} {
		out, redacted, err := r.AppendObject(nil, target, []byte(body))
		require.NoError(t, err)
		assert.Equal(t, body, string(out))
		assert.Zero(t, redacted)
		assert.False(t, r.DropsBody(target))
	}

	for key, off := range map[string]func(*Config){
		"data": func(c *Config) { c.Secrets = false }, "env": func(c *Config) { c.ContainerEnv = false },
		"args": func(c *Config) { c.ContainerArgs = false }, "other": func(c *Config) { c.ConfigMaps = false },
		"token": func(c *Config) { c.TokensAndReviews = false }, "message": func(c *Config) { c.Messages = false },
		"a/last-applied": func(c *Config) { c.LastApplied = false },
	} {
		config := NewDefaultConfig()
		config.LabeledObjects = false
		all, err := New(config)
		require.NoError(t, err)
		off(&config)
		fewer, err := New(config)
		require.NoError(t, err)
		_, n, err := all.AppendObject(nil, aPod, []byte(body))
		require.NoError(t, err)
		_, m, err := fewer.AppendObject(nil, aPod, []byte(body))
		require.NoError(t, err)
		assert.Less(t, m, n, key)
	}
}

func TestASecretsCopyIsHiddenEvenIfCopiesAreShown(t *testing.T) {
	config := NewDefaultConfig()
	config.LastApplied = false
	objectCase{"secret", aSecret, `{"metadata":{"annotations":{"a/last-applied":"x"}}}`, `{"metadata":{"annotations":{"a/last-applied":X}}}`}.run(t, config)
	objectCase{"pod", aPod, `{"metadata":{"annotations":{"a/last-applied":"x"}}}`, `{"metadata":{"annotations":{"a/last-applied":"x"}}}`}.run(t, config)
}

func TestAHashTellsValuesApart(t *testing.T) {
	config := NewDefaultConfig()
	config.HashKey = "0123456789abcdef"
	r, err := New(config)
	require.NoError(t, err)
	out, redacted, err := r.AppendObject(nil, aSecret, []byte(`{"data":{"a":"eA==","b":"eA==","c":"eQ==","d":null}}`))
	require.NoError(t, err)
	assert.Equal(t, 3, redacted)
	// echo -n '"eA=="' | openssl dgst -sha256 -hmac 0123456789abcdef
	assert.Equal(t, `{"data":{"a":"<redacted:83675481>","b":"<redacted:83675481>","c":"<redacted:eff33bf4>","d":null}}`, string(out))

	config.HashKey = "another key, long enough"
	other, err := New(config)
	require.NoError(t, err)
	again, _, err := other.AppendObject(nil, aSecret, []byte(`{"data":{"a":"eA==","b":"eA==","c":"eQ==","d":null}}`))
	require.NoError(t, err)
	assert.NotEqual(t, string(out), string(again))
}

func TestWhatIsNotJSONLeavesNothing(t *testing.T) {
	for _, body := range []string{"", " ", "{", `{"data":{"a":"hunter2"}`, `{"data":{"a":"hunter2"}}x`, `data: {a: hunter2}`, `{"a":hunter2}`, `[{"op":"add"`, "\x00hunter2"} {
		r := defaultRedactor(t)
		for name, redact := range map[string]func([]byte, Target, []byte) ([]byte, int, error){
			"object": r.AppendObject, "patch": r.AppendPatch,
		} {
			out, redacted, err := redact([]byte("before"), aPod, []byte(body))
			require.Error(t, err, "%s %q", name, body)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Equal(t, "before", string(out))
			assert.Zero(t, redacted)
		}
	}
}

func TestOutputIsValidUTF8(t *testing.T) {
	out, _, err := defaultRedactor(t).AppendObject([]byte("\xff"), aPod, []byte("{\"a\xff\":\"b\xc3\"}"))
	require.NoError(t, err)
	assert.Equal(t, "\xff{\"a\uFFFD\":\"b\uFFFD\"}", string(out), "what was there before is not touched")
}

func TestTooDeepIsReplaced(t *testing.T) {
	body := strings.Repeat(`{"a":[`, 4000) + `"hunter2"` + strings.Repeat("]}", 4000)
	out, redacted, err := defaultRedactor(t).AppendObject(nil, aPod, []byte(body))
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat(`{"a":[`, maxDepth/2)+`"<redacted>"`+strings.Repeat("]}", maxDepth/2), string(out))
	assert.Equal(t, 1, redacted)
}

func TestKindsThatComeLateDoNotCostTooMuch(t *testing.T) {
	// Each level is a Secret whose kind comes last, so that it is copied again with the levels in it.
	body := `"hunter2"`
	for range 100 {
		body = `{"data":{"k":"` + strings.Repeat("hunter2", 10) + `"},"x":` + body + `,"kind":"Secret"}`
	}
	r := defaultRedactor(t)
	w := r.walker(nil, aPod, []byte(body))
	out, _, err := w.finish(nil, w.body())
	require.NoError(t, err)
	assert.NotContains(t, string(out), "hunter2hunter2")
	assert.GreaterOrEqual(t, w.repeats, 0, "the work is bounded")
}

func TestOneRedactorServesManyGoroutines(t *testing.T) {
	config := NewDefaultConfig()
	config.HashKey = "0123456789abcdef"
	config.Paths = []PathRule{{"secrets", "metadata.labels.*"}}
	r, err := New(config)
	require.NoError(t, err)
	body := []byte(`{"metadata":{"labels":{"a":"b"}},"data":{"a":"eA=="}}`)
	want, _, err := r.AppendObject(nil, aSecret, body)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if out, _, err := r.AppendObject(nil, aSecret, body); err != nil || !bytes.Equal(out, want) {
					t.Errorf("%v: %s", err, out)
				}
			}
		})
	}
	wg.Wait()
}

func TestLabeled(t *testing.T) {
	r := defaultRedactor(t)
	for body, want := range map[string]bool{
		`{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"true"}}}`:          true,
		`{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":""}}}`:              true,
		`{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacte\u0064":"true"}}}`:     true,
		`{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"false"}}}`:         false,
		`{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":null}}}`:            false,
		`{"metadata":{"annotations":{"kelemetry.kubewharf.io/diff-redacted":"true"}}}`:     false,
		`{"metadata":{"labels":["kelemetry.kubewharf.io/diff-redacted"]}}`:                 false,
		`{"spec":{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":"true"}}}}`: false,
		`{"metadata":{"labels":{"a":"\"b"}}}`:                                              false,
		`{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":`:                   true,
		`[]`: false, ``: false,
	} {
		assert.Equal(t, want, r.Labeled([]byte(body)), body)
	}
}

func defaultRedactor(tb testing.TB) *Redactor {
	tb.Helper()
	r, err := New(NewDefaultConfig())
	require.NoError(tb, err)
	return r
}
