// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzRedact holds what must be true of any input: no panic, no output for what is not JSON, compact and valid JSON in
// valid UTF-8 otherwise, and the same again when redacted twice.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a","managedFields":[{}]},"data":{"a":"Yg=="}}`,
		`{"data":{"a":"x"},"kind":"Secret","data":[1],"data":null}`,
		`{"data":{"data":{"data":{},"kind":"Secret"},"kind":"Secret"},"kind":"Secret"}`,
		`{"\u0064ata":{"\ud800":"\udc00"},"stringData":"x"}`,
		`{"metadata":{"labels":{"kelemetry.kubewharf.io/diff-redacted":1},"annotations":[{"a/last-applied":"x"}]},"items":[[{}]]}`,
		`{"items":{"items":[{"items":1}]},"rows":[{"object":{"rows":2},"cells":[]}],"kind":"Table"}`,
		`{"spec":{"containers":[{"env":[{"name":1,"value":[]},"x"],"args":{}}],"env":[[]],"command":"x","$setElementOrder/env":[]}}`,
		`[{"op":"add","path":"/spec/containers/0/env/-","value":{"name":"a","value":"b"}},{"op":"x","path":"~"},{"path":"/~1~0/"},[]]`,
		`[{"op":"add","path":"/metadata/labels/kelemetry.kubewharf.io~1diff-redacted","value":"y"},{"value":1,"path":""}]`,
		`{"message":"a {\"b\":1} \u0000\u2028 \"","note":"core.Pod{","status":{"message":{}}}`,
		`{"kind":"Status","message":"x","details":{"causes":[{"message":"y"},1]},"code":{}}`,
		strings.Repeat(`{"containers":[`, 300) + strings.Repeat("]}", 300), strings.Repeat("[", 600) + strings.Repeat("]", 600),
		"{\"a\xff\":\"\xc3\"}", "\ufeff{}", `"x"`, "1", "null", "", "{", `{"a":1}x`, "\x00",
	} {
		for resource := range uint8(4) {
			f.Add([]byte(seed), resource)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, resource uint8) {
		config := NewDefaultConfig()
		config.Paths = []PathRule{{"widgets.example.com", "a.*.b"}, {"widgets.example.com", "spec[*]"}, {"widgets", "data"}}
		config.Objects = []string{"/x$"}
		r, err := New(config)
		require.NoError(t, err)
		target := []Target{aSecret, aConfigMap, aDeployment, aCustom}[resource%4]
		for name, redact := range map[string]func([]byte, Target, []byte) ([]byte, int, error){"object": r.AppendObject, "patch": r.AppendPatch} {
			out, n, err := redact(nil, target, body)
			if (err == nil) != json.Valid(body) {
				t.Fatalf("%s: %v, but encoding/json says valid=%t", name, err, err != nil)
			}
			if err != nil {
				if out != nil || n != 0 {
					t.Fatalf("%s: %v, and yet %q", name, err, out)
				}
				continue
			}
			checkOutput(t, name, out)
			again, _, err := redact(nil, target, out)
			if err != nil || !bytes.Equal(again, out) && !bytes.Contains(out, []byte("message")) && !bytes.Contains(out, []byte("note")) {
				t.Fatalf("%s: again: %v\n%q\n%q", name, err, out, again)
			}
		}
		r.Labeled(body)
	})
}

func checkOutput(t *testing.T, name string, out []byte) {
	t.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, out); err != nil {
		t.Fatalf("%s: %v: %q", name, err, out)
	}
	if !bytes.Equal(compact.Bytes(), out) || !utf8.Valid(out) {
		t.Fatalf("%s: not compact, or not valid UTF-8: %q", name, out)
	}
}
