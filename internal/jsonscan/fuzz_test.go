// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
)

var seeds = []string{
	"", " ", "null", "nul", "true", "false", "0", "-0", "01", "-", "1.", "1.5e+7", "1E", "1e5000", `"`, `""`, `"\"`, `"\u12"`,
	`"\ud83d\ude00"`, `"\ud83d"`, "\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\xff\xfe\"", "[]", "[", "]", "[1,2]", "[1,]", "{}", "{",
	`{"a":1}`, `{"a":1,}`, `{"a"}`, `{1:2}`, `{"a":{"b":[{"c":null}]}}`, "\ufeff{}", "[1]x", "\v1", "[\"a\"\t,\r\n\"b\" ]",
	`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"x","stage":"ResponseComplete"}]}`,
	strings.Repeat("[", 70) + strings.Repeat("]", 70), strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70),
	strings.Repeat("[", 70) + "}" + strings.Repeat("]", 69), `"` + strings.Repeat("x", 31) + "\n" + `"`,
}

// FuzzSkip holds the promise that skipping, and reading by Object and Array, accept exactly what encoding/json does.
func FuzzSkip(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := json.Valid(text)
		for name, read := range map[string]func(*Scanner) error{"Skip": (*Scanner).Skip, "Object and Array": walk} {
			s := New(text)
			err := read(&s)
			if err == nil {
				err = s.End()
			}
			if (err == nil) != want {
				t.Errorf("%s of %q: %v, but encoding/json says valid=%t", name, text, err, want)
			}
			if s.Offset() > len(text) {
				t.Errorf("%s of %q: offset %d is beyond the end", name, text, s.Offset())
			}
		}
	})
}

// FuzzStr holds the promise that strings and keys mean what they mean to encoding/json.
func FuzzStr(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
		f.Add([]byte(`"` + seed + `"`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want string
		wantErr := json.Unmarshal(text, &want)
		s := New(text)
		got, err := s.Str()
		if err == nil {
			err = s.End()
		}
		if (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Errorf("Str of %q: %q, %v; encoding/json: %q, %v", text, got, err, want, wantErr)
		}
		if err != nil || s.Next() == Null {
			return
		}
		s = New([]byte("{" + string(text) + ":0}"))
		if err := s.Object(func(key []byte) error {
			if string(key) != want {
				t.Errorf("key %q: got %q, want %q", text, key, want)
			}
			return nil
		}); err != nil && strings.TrimSpace(string(text)) != "null" {
			t.Errorf("key %q: %v", text, err)
		}
	})
}

// FuzzInt holds the promise that numbers mean what they mean to encoding/json.
func FuzzInt(f *testing.F) {
	for _, seed := range append(seeds, "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e2", "1.0") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want int64
		wantErr := json.Unmarshal(text, &want)
		s := New(text)
		got, err := s.Int()
		if err == nil {
			err = s.End()
		}
		if (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Errorf("Int of %q: %d, %v; encoding/json: %d, %v", text, got, err, want, wantErr)
		}
	})
}
