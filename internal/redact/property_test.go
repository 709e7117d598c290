// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	planted = "PLANTED" // in every value that a rule covers
	kept    = "KEPT"    // in every value that none does
)

// TestNoPlantedSecretSurvives builds objects of random shape with a marker wherever a rule covers a value, and looks for
// it in all that is left: as it is, decoded from base64, and in JSON within strings.
func TestNoPlantedSecretSurvives(t *testing.T) {
	config := NewDefaultConfig()
	config.HashKey = "0123456789abcdef"
	config.Paths = []PathRule{{"widgets.example.com", "spec.credentials[*].token"}, {"widgets.example.com", "spec.*.password"}}
	config.Objects = []string{"/hidden-"}
	r, err := New(config)
	require.NoError(t, err)
	for seed := range uint64(4_000) {
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		target, body := g.body()
		redact := r.AppendObject
		if strings.HasPrefix(strings.TrimSpace(body), "[") || g.oneIn(3) {
			redact = r.AppendPatch
		}
		require.True(t, json.Valid([]byte(body)), "seed %d: %s", seed, body)
		out, _, err := redact(nil, target, []byte(body))
		require.NoError(t, err, "seed %d: %s", seed, body)
		require.True(t, json.Valid(out), "seed %d: %s\n%s", seed, body, out)
		require.False(t, leaks(out), "seed %d, %+v: %s\n%s", seed, target, body, out)
		require.Equal(t, strings.Count(body, kept), strings.Count(string(out), kept), "seed %d, %+v: %s\n%s", seed, target, body, out)
	}
}

func leaks(out []byte) bool {
	var value any
	return json.Unmarshal(out, &value) != nil || leaksFrom(value) || strings.Contains(string(out), planted)
}

func leaksFrom(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for key, value := range v {
			if leaksFrom(key) || leaksFrom(value) {
				return true
			}
		}
	case []any:
		for _, value := range v {
			if leaksFrom(value) {
				return true
			}
		}
	case string:
		decoded, _ := base64.StdEncoding.DecodeString(v)
		return strings.Contains(v, planted) || strings.Contains(string(decoded), planted)
	}
	return false
}

// generator writes JSON of random shape, order, spacing and escapes.
type generator struct{ *rand.Rand }

func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g generator, choices ...T) T { return choices[g.IntN(len(choices))] }

func (g generator) body() (Target, string) {
	switch g.IntN(7) {
	case 0:
		return aSecret, g.secret()
	case 1:
		return Target{Version: "v1", Resource: "secrets"}, g.ordered(`"kind":"SecretList"`, g.member("items", g.list(g.secret)))
	case 2:
		return aConfigMap, g.object(g.member("data", g.mapOf(g.hidden)), g.member("binaryData", g.mapOf(g.hidden)), g.metadata(aConfigMap))
	case 3:
		return aDeployment, g.object(g.metadata(aDeployment), g.member("spec", g.object(g.member("template", g.podTemplate()), g.shown("replicas"))))
	case 4:
		return g.hiddenObject()
	case 5:
		return aCustom, g.patch()
	default:
		return aCustom, g.object(g.metadata(aCustom), g.member("spec", g.custom(3)), g.member("status", g.custom(2)))
	}
}

func (g generator) secret() string {
	return g.object(`"kind":"Secret"`, g.member("data", g.mapOf(g.hidden)), g.member("stringData", g.mapOf(g.hidden)), g.metadata(aSecret),
		g.member("type", g.plain()), g.member(pick(g, "Data", "x", "spec"), g.hidden()))
}

func (g generator) hiddenObject() (Target, string) {
	labeled := g.object(g.member("metadata", g.object(g.member("labels", g.object(g.member(Label, `"true"`))), g.member("annotations", g.mapOf(g.hidden)), g.shown("uid"))),
		g.member("spec", g.hidden()), g.member("data", g.hidden()))
	named := g.object(g.member("metadata", g.object(g.member("name", `"hidden-1"`), g.shown("uid"))), g.member("spec", g.hidden()))
	target := Target{Group: "example.com", Version: "v1", Resource: "widgets"}
	if g.oneIn(2) {
		return target, g.ordered(g.member("items", g.list(func() string { return pick(g, labeled, named) })), `"kind":"WidgetList"`)
	}
	return target, pick(g, labeled, named)
}

func (g generator) metadata(t Target) string {
	return g.member("metadata", g.object(g.member("name", fmt.Sprintf("%q", t.Name)), g.shown("uid"), g.annotations(),
		g.member("managedFields", g.list(g.hidden)), g.member("labels", g.object(g.shown("app"), g.shown("env")))))
}

func (g generator) annotations() string {
	name := pick(g, "kubectl.kubernetes.io/last-applied-configuration", "banzaicloud.com/last-applied", "kapp.k14s.io/original")
	return g.member("annotations", g.object(g.member(name, g.hidden()), g.shown("example.com/a")))
}

func (g generator) podTemplate() string {
	return g.object(
		g.member("metadata", g.object(g.annotations(), g.shown("name"))),
		g.member("spec", g.object(
			g.member("containers", g.list(g.container)), g.member("initContainers", g.list(g.container)),
			g.member("ephemeralContainers", g.list(g.container)), g.shown("nodeName"),
		)),
	)
}

func (g generator) container() string {
	probe := g.object(
		g.member("exec", g.object(g.member("command", g.list(g.hidden)))),
		g.member("httpGet", g.object(g.member("httpHeaders", g.list(func() string { return g.object(g.shown("name"), g.member("value", g.hidden())) })), g.shown("path"))),
	)
	return g.object(
		g.shown("name"), g.shown("image"),
		g.member("env", pick(g, g.list(g.variable), g.list(g.hidden), g.text(planted))),
		g.member("args", pick(g, g.list(g.hidden), g.text(planted), g.mapOf(g.hidden))),
		g.member("command", g.list(g.hidden)), g.member(pick(g, "livenessProbe", "readinessProbe"), probe),
	)
}

func (g generator) variable() string {
	if g.oneIn(3) {
		return g.object(g.shown("name"), g.member("valueFrom", g.object(g.member("secretKeyRef", g.object(g.shown("name"), g.shown("key"))))))
	}
	return g.object(g.shown("name"), g.member("value", g.hidden()))
}

// custom is the content of a custom resource, with whatever such embed.
func (g generator) custom(depth int) string {
	members := []string{g.shown("a"), g.member("list", g.list(g.plain)), g.member("env", g.text(kept))}
	if depth == 3 {
		members = append(members,
			g.member("credentials", g.list(func() string { return g.object(g.member("token", g.hidden()), g.shown("name")) })),
			g.member("db", g.object(g.member("password", g.hidden()), g.shown("host"))))
	}
	if depth > 0 {
		members = append(members, g.member("nested", g.custom(depth-1)))
	}
	switch g.IntN(5) {
	case 0:
		members = append(members, g.member("manifest", g.object(`"kind":"Secret"`, g.member("data", g.mapOf(g.hidden)), g.member("stringData", g.mapOf(g.hidden)))))
	case 1:
		members = append(members, g.member("manifests", g.list(func() string { return g.object(`"kind":"ConfigMap"`, g.member("data", g.mapOf(g.hidden))) })))
	case 2:
		members = append(members, g.member("template", g.podTemplate()))
	case 3:
		members = append(members, g.member("steps", g.list(g.container1)))
	case 4:
		members = append(members, g.member("message", g.text(kept+` {"env":"`+planted+`"}`)))
	}
	return g.object(members...)
}

// container1 is a container outside of a list of containers.
func (g generator) container1() string {
	return g.object(g.shown("name"), g.member("env", g.list(g.variable)), g.member("args", g.list(g.hidden)))
}

func (g generator) patch() string {
	return g.list(func() string {
		switch g.IntN(5) {
		case 0:
			return g.object(`"op":"add"`, `"path":"/spec/credentials/0/token"`, g.member("value", g.hidden()))
		case 1:
			return g.object(`"op":"add"`, `"path":"/spec/template/spec/containers/1/env/-"`, g.member("value", g.variable()))
		case 2:
			return g.object(`"op":"replace"`, `"path":"/spec"`, g.member("value", g.custom(3)))
		case 3:
			return g.object(`"op":"replace"`, `"path":"/spec/a"`, g.member("value", g.plain()))
		default:
			return g.object(`"op":"add"`, g.member("value", g.hidden()))
		}
	})
}

func (g generator) shown(key string) string { return g.member(key, g.plain()) }

// plain is a value that no rule covers, wherever it is, and that no other rule looks into.
func (g generator) plain() string { return g.text(kept) }

// hidden is a value of any type with the marker in it.
func (g generator) hidden() string {
	switch g.IntN(5) {
	case 0:
		return g.text(base64.StdEncoding.EncodeToString([]byte(planted)))
	case 1:
		return g.text(`{"kind":"Secret","data":{"a":"` + planted + `"}}`)
	case 2:
		return g.object(g.member("a", g.text(planted)), g.member("metadata", g.text(planted)))
	case 3:
		return g.list(func() string { return g.text(planted) })
	default:
		return g.text("a" + planted)
	}
}

func (g generator) mapOf(value func() string) string {
	return g.object(g.member("k1", value()), g.member(pick(g, "name", "data", "a\"b", "metadata", ""), value()))
}

func (g generator) list(item func() string) string {
	items := []string{item(), item()}[:1+g.IntN(2)]
	return "[" + g.space() + strings.Join(items, g.space()+","+g.space()) + g.space() + "]"
}

func (g generator) object(members ...string) string {
	g.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return g.ordered(members...)
}

func (g generator) ordered(members ...string) string {
	return g.space() + "{" + strings.Join(members, g.space()+","+g.space()) + g.space() + "}"
}

func (g generator) member(key, value string) string {
	return g.space() + g.text(key) + g.space() + ":" + g.space() + value
}

// text quotes, now and then with an escape that is not needed. The markers stay readable.
func (g generator) text(s string) string {
	quoted, _ := json.Marshal(s)
	text := string(quoted)
	if at := 1; g.oneIn(4) && len(text) > 2 && text[at] != '\\' && !strings.HasPrefix(s, kept) {
		text = text[:at] + fmt.Sprintf("\\u%04x", text[at]) + text[at+1:]
	}
	return text
}

func (g generator) space() string {
	if g.oneIn(8) {
		return pick(g, " ", "\n  ", "\t", "\r\n")
	}
	return ""
}
