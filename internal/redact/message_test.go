// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestMessagesForPeopleStayWhole(t *testing.T) {
	for _, msg := range []string{
		"",
		`deployments.apps "web" not found`,
		"Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your changes to the latest version and try again",
		`pods "web" is forbidden: User "alice" cannot create resource "pods" in API group "" in the namespace "default"`,
		`Deployment.apps "Web" is invalid: [metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.' (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), spec.replicas: Invalid value: -1: must be greater than or equal to 0]`,
		`pods "web" is forbidden: exceeded quota: small, requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4`,
		`admission webhook "policy.example.com" denied the request: image must come from registry.example.com`,
		"Pod \"web\" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`",
		`Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.template.spec.containers[name="web"].env[name="A"].value`,
		`must match ^[a-z]{1,63}$ or {}`,
		"several lines:\n- one\n- two",
		`bitmap[3] is set, field.map[key] too`,
	} {
		got, cut := defaultRedactor(t).Message(aPod, msg)
		assert.Equal(t, msg, got)
		assert.False(t, cut)
	}
}

func TestMessagesLoseWhatTheyQuoteOfObjects(t *testing.T) {
	for msg, want := range map[string]string{
		// as the API server writes them today
		`Job.batch "j" is invalid: spec.template: Invalid value: {"spec":{"containers":[{"env":[{"name":"A","value":"hunter2"}]}]}}: field is immutable`:                                    `Job.batch "j" is invalid: spec.template: Invalid value: {<redacted>}: field is immutable`,
		`spec: Invalid value: {"a":"}\"{hunter2"}: no, spec.b: Invalid value: [{"c":"hunter2"}]: no`:                                                                                        `spec: Invalid value: {<redacted>}: no, spec.b: Invalid value: [<redacted>]: no`,
		"Pod \"p\" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.tolerations`\n@@ -1,3 +1,3 @@\n-   \"Value\": \"hunter2\"\n+   \"Value\": \"hunter3\"\n": "Pod \"p\" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.tolerations`\n<redacted>",
		// and wrote them before
		`Job.batch "j" is invalid: spec.template: Invalid value: core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", CreationTimestamp:v1.Time{Time:time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC)}, Labels:map[string]string{"a":"b"}}, Spec:core.PodSpec{Volumes:[]core.Volume(nil), Containers:[]core.Container{core.Container{Env:[]core.EnvVar{core.EnvVar{Name:"A", Value:"hunter2", ValueFrom:(*core.EnvVarSource)(nil)}}, Stdin:false}}, TerminationGracePeriodSeconds:(*int64)(0xc00b4a5f18)}}: field is immutable`: `Job.batch "j" is invalid: spec.template: Invalid value: core.PodTemplateSpec{<redacted>}: field is immutable`,
		"pod updates may not change fields\n  core.PodSpec{\n  \tContainers: []core.Container{\n- \t\tEnv: []core.EnvVar{{Name: \"A\", Value: \"hunter2\"}},\n  \t},\n  }\n": "pod updates may not change fields\n  core.PodSpec{<redacted>}",
		"fields differ:\n  string(\n-\u00a0\t\"hunter2\",\n+\u00a0\t\"hunter3\",\n  )":                                                                                       "fields differ:\n  string(\n<redacted>",
		`json: cannot unmarshal: expect }, error found in #10 byte of ...|"value":"hunter2"}|..., bigger context ...|"env":[{"value":"hunter2"}]|...`:                        `json: cannot unmarshal: expect }, <redacted>`,
		// printed in short, without certain ends
		`spec: Invalid value: &PodSpec{Containers:[]Container{Container{Env:[]EnvVar{EnvVar{Name:A,Value:hun}ter2,},},},},}: immutable`: `spec: Invalid value: &PodSpec{<redacted>}`,
		`unexpected {Name:a Value:hunter2} here`:            `unexpected {<redacted>}`,
		`labels map[a:hunter2 b:x] differ`:                  `labels map[<redacted>]`,
		`labels map[string]string{"a":"hunter2"} differ`:    `labels map[string]string{<redacted>} differ`,
		`values map[string]interface {}{"a":"hunter2"}: no`: `values map[string]interface {}{<redacted>}: no`,
		`cut by a limit: {"env":[{"value":"hunter2…`:        `cut by a limit: {<redacted>}`,
		`cut by a limit: "hunter2…`:                         `cut by a limit: <redacted>`,
		`mismatched {"a":["hunter2"}]}: x`:                  `mismatched {<redacted>}`,
		`glued {"a":1}hunter2`:                              `glued {<redacted>}`,
		"key: -----BEGIN RSA PRIVATE KEY----- hunter2":      "key: <redacted>",
		// quotations
		`metadata.annotations: Invalid value: "{\"env\":\"hunter2\"}": too long`:          `metadata.annotations: Invalid value: "<redacted>": too long`,
		`spec.containers[0].env[1].value: Invalid value: "hunter2": no`:                   `spec.containers[0].env[1].value: Invalid value: "<redacted>": no`,
		`spec.containers[0].args[1]: Unsupported value: "hunter2": supported values: "a"`: `spec.containers[0].args[1]: Unsupported value: "<redacted>": supported values: "a"`,
		`spec.containers[0].command: Invalid value: ["hunter2","x"]: no`:                  `spec.containers[0].command: Invalid value: [<redacted>]: no`,
		`spec.text: Invalid value: "` + strings.Repeat("hunter2", 20) + `": too long`:     `spec.text: Invalid value: "<redacted>": too long`,
		`spec.text: Invalid value: "a\nhunter2": no line breaks`:                          `spec.text: Invalid value: "<redacted>": no line breaks`,
		"quotation over a diff \"a\n@@ -1 +1 @@\n-\" hunter2":                             "quotation over a diff <redacted>",
		"quotation behind a diff\n@@ -1 +1 @@\n-hunter2 \"{\" x":                          "quotation behind a diff\n<redacted>",
	} {
		got, cut := defaultRedactor(t).Message(aPod, msg)
		assert.Equal(t, want, got)
		assert.True(t, cut, msg)
		assert.NotContains(t, got, "hunter")
	}
}

func TestMessagesAboutObjectsThatHideThingsAreWithheld(t *testing.T) {
	config := NewDefaultConfig()
	config.Messages = false
	config.Objects = []string{"/nodes/"}
	config.DropBodies = []string{"/pods/default/hidden$"}
	config.Paths = []PathRule{{"widgets", "spec.a"}}
	r, err := New(config)
	require.NoError(t, err)
	for _, target := range []Target{
		aSecret, aConfigMap, aCustom,
		{Version: "v1", Resource: "nodes", Name: "n"},
		{Resource: "things", Sensitive: true},
		{Resource: "serviceaccounts", Subresource: "token"},
		{Version: "v1", Resource: "pods", Namespace: "default", Name: "hidden"},
	} {
		got, cut := r.Message(target, "hunter2")
		assert.Equal(t, withheld, got, "%+v", target)
		assert.True(t, cut)
	}
	got, cut := r.Message(aPod, `{"a":"b"}`)
	assert.Equal(t, `{"a":"b"}`, got, "the rule is off")
	assert.False(t, cut)
}

// podWith has a value in each place that a rule covers.
func podWith(value string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Labels: map[string]string{"a": "b"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "c", Image: "i", Env: []corev1.EnvVar{{Name: "A", Value: value}, {Name: "B"}}, Args: []string{value, "x"},
		}}},
	}
}

func TestTheReasonBehindADumpIsKept(t *testing.T) {
	spec := podWith("hunter2").Spec
	for _, msg := range []string{
		field.Invalid(field.NewPath("spec"), spec, "field is immutable").Error(),
		fmt.Sprintf("spec: Invalid value: %#v: field is immutable", spec),
	} {
		got, cut := defaultRedactor(t).Message(aPod, msg)
		assert.Regexp(t, `^spec: Invalid value: (v1\.PodSpec)?\{<redacted>\}: field is immutable$`, got)
		assert.True(t, cut)
	}
}

// TestNoValueEndsItsDumpEarly gives a Pod values made of what ends strings, values and dumps.
func TestNoValueEndsItsDumpEarly(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(3, 4))}
	text := func() string {
		var b strings.Builder
		for range g.IntN(6) {
			b.WriteString(pick(g, "}", "}}", "]", ")", "{", "[", "(", `"`, "`", `\`, `\"`, ",", ", ", ":", ": ", " ", "Value:", "nil", "0", "a", "map[", "time.x", "&", "-", "\n", "@@ -1"))
		}
		return b.String()
	}
	r := defaultRedactor(t)
	for range 1500 {
		checkMessages(t, r, text(), text())
	}
}

// FuzzMessage prints a Pod with any value in all the ways that API servers print objects in messages.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{"", "x", `"`, `\`, "`", "}", "]", "{", "}: ", `"}]}: `, `\"}`, "\n", "\n@@ -1 +1 @@\n", "'", "map[", " ", ",", "A:1}", "é\xff", "time.x}", "0}"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		checkMessages(t, defaultRedactor(t), before, after)
	})
}

func checkMessages(t *testing.T, r *Redactor, before, after string) {
	t.Helper()
	const marker = "MARKER"
	value := before + marker + after
	pod, other := podWith(value), podWith("x")
	for name, dump := range map[string]string{
		"field error":  field.Invalid(field.NewPath("spec"), pod.Spec, "field is immutable").Error(),
		"go syntax":    fmt.Sprintf("spec: Invalid value: %#v: field is immutable", pod.Spec),
		"short":        fmt.Sprintf("spec: Invalid value: %v: field is immutable", pod.Spec),
		"with names":   fmt.Sprintf("spec: Invalid value: %+v: field is immutable", pod.Spec.Containers),
		"stringer":     fmt.Sprintf("spec: Invalid value: %v: field is immutable", &pod.Spec),
		"a map":        fmt.Sprintf("spec: unexpected %v", map[string]string{"a": value}),
		"go map":       fmt.Sprintf("spec: unexpected %#v", map[string]any{"a": value}),
		"unified diff": "spec: Forbidden: may not change\n" + diff.Diff(pod.Spec, other.Spec),
		"args":         field.Invalid(field.NewPath("spec").Child("args"), pod.Spec.Containers[0].Args, "no").Error(),
		"env":          field.Invalid(field.NewPath("spec").Child("env").Index(0).Child("value"), value, "no").Error(),
	} {
		for _, msg := range []string{dump, `Pod "p" is invalid: [` + dump + ", " + dump + "]", dump[:len(dump)*3/4]} {
			got, _ := r.Message(aPod, msg)
			if strings.Contains(got, marker) {
				t.Errorf("%s of %q: %q", name, msg, got)
			}
			if !strings.Contains(got, "spec") {
				t.Errorf("%s of %q: no field left in %q", name, msg, got)
			}
		}
	}
}
