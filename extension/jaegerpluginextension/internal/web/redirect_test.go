// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
)

// TestARedirectLeadsToJaegerOnly, whatever the request says: nothing of its text is in the address.
func TestARedirectLeadsToJaegerOnly(t *testing.T) {
	modes, err := mode.NewSet(mode.DefaultConfig())
	require.NoError(t, err)
	handler := (&Server{JaegerURL: "https://jaeger.example.com/ui", Range: time.Hour, Plugin: &plugin.Plugin{
		Modes: modes, Clusters: func(context.Context) ([]string, error) { return []string{"prod"}, nil },
	}}).Handler()
	object := url.Values{"cluster": {"prod"}, "resource": {"pods"}, "namespace": {"default"}, "name": {"a"}, "ts": {"1772626800"}}
	redirected := 0
	for _, hostile := range []string{"//evil.example", "https://evil.example", "../../evil", "@evil.example", "\r\nLocation: https://evil.example", "\\\\evil.example", "%2f%2fevil.example"} {
		for key := range object {
			query := url.Values{key: {hostile}}
			for other, value := range object {
				if other != key {
					query[other] = value
				}
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/redirect?"+query.Encode(), http.NoBody)
			request.Host = "evil.example"
			request.Header.Set("X-Forwarded-Host", "evil.example")
			request.Header.Set("Referer", "https://evil.example")
			response := httptest.NewRecorder()
			handler.ServeHTTP(response, request)
			if response.Code == http.StatusFound {
				redirected++
				assert.Regexp(t, `^https://jaeger\.example\.com/ui/trace/ff[0-9a-f]{30}$`, response.Header().Get("Location"), "%s=%s", key, hostile)
				continue
			}
			assert.Equal(t, http.StatusBadRequest, response.Code, "%s=%s", key, hostile)
			assert.Empty(t, response.Header().Get("Location"))
		}
	}
	assert.NotZero(t, redirected, "some of these are names that an object could have")
}
