// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestPathEndsWhereAProxyBegins(t *testing.T) {
	proxied := Target{Version: "v1", Resource: "services", Namespace: "default", Name: "web", Subresource: "proxy"}
	for _, c := range []struct {
		target     Target
		path, want string
	}{
		{aPod, "/api/v1/namespaces/default/pods/web", "/api/v1/namespaces/default/pods/web"},
		{aPod, "/api/v1/namespaces/default/pods/proxy", "/api/v1/namespaces/default/pods/proxy"},
		{aPod, "/api/v1/namespaces/default/pods/web/exec?command=hunter2", "/api/v1/namespaces/default/pods/web/exec"},
		{aPod, "/api/v1/namespaces/proxy", "/api/v1/namespaces/proxy"},
		{aPod, "/healthz/proxy/x", "/healthz/proxy/x"},
		{Target{}, "", ""},
		{proxied, "/api/v1/namespaces/default/services/web/proxy", "/api/v1/namespaces/default/services/web/proxy"},
		{proxied, "/api/v1/namespaces/default/services/web/proxy/", "/api/v1/namespaces/default/services/web/proxy"},
		{proxied, "/api/v1/namespaces/default/services/https:web:443/proxy/hunter2/x?y", "/api/v1/namespaces/default/services/https:web:443/proxy"},
		{proxied, "/api/v1/namespaces/proxy/services/proxy/proxy/hunter2", "/api/v1/namespaces/proxy/services/proxy/proxy"},
		{proxied, "/api/v1/namespaces/default/services/web/prox%79/hunter2", "/api/v1/namespaces/default/services/web/prox%79"},
		{proxied, "/api/v1/nodes/n/proxy/hunter2", "/api/v1/nodes/n/proxy"},
		{proxied, "/api/v1/proxy/nodes/n/hunter2", "/api/v1/proxy"},
		{proxied, "/apis/example.com/v1/namespaces/a/things/b/proxy/hunter2", "/apis/example.com/v1/namespaces/a/things/b/proxy"},
		{proxied, "/somewhere/hunter2", "/REDACTED"},
		{Target{}, "/api/v1/nodes/n/proxy/hunter2", "/api/v1/nodes/n/proxy"},
	} {
		assert.Equal(t, c.want, defaultRedactor(t).Path(c.target, c.path), c.path)
	}
}

func TestPathIsPrintable(t *testing.T) {
	for path, want := range map[string]string{
		"/a\x00\n\x7fb":           "/a%00%0A%7Fb",
		"/\xff\xc3(":              "/%FF%C3(",
		"/é/日本":                   "/é/日本",
		"/a\u202eb\u2028\ufeff":   "/a%E2%80%AEb%E2%80%A8%EF%BB%BF",
		"/\ufffd":                 "/\ufffd",
		"/\x1b]0;title\x07%2e%zz": "/%1B]0;title%07%2e%zz",
	} {
		assert.Equal(t, want, defaultRedactor(t).Path(aPod, path))
	}
}

func FuzzPath(f *testing.F) {
	f.Add("/api/v1/namespaces/default/services/web/proxy/x", "proxy")
	f.Add("/apis//proxy/\xff", "")
	f.Fuzz(func(t *testing.T, path, subresource string) {
		got := defaultRedactor(t).Path(Target{Subresource: subresource}, path)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			t.Errorf("%q gives %q", path, got)
		}
		proxied := "/api/v1/nodes/n/proxy/" + path + "MARKER"
		if got := defaultRedactor(t).Path(Target{Subresource: "proxy"}, proxied); strings.Contains(got, "MARKER") {
			t.Errorf("%q gives %q", proxied, got)
		}
	})
}
