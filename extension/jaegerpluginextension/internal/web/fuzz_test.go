// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// FuzzRequest: a request names a view that has a display ID, or is the client's mistake.
func FuzzRequest(f *testing.F) {
	modes, err := mode.NewSet(mode.DefaultConfig())
	require.NoError(f, err)
	s := &Server{Range: time.Hour, Plugin: &plugin.Plugin{
		Modes: modes, Clusters: func(context.Context) ([]string, error) { return []string{"prod"}, nil },
	}}
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, query := range []string{
		"kind=Deployment&namespace=default&name=hello&mode=tracing+[links]&ts=1772626800", "resource=pods&name=a&start=2026-03-04T12:00:00Z&range=9999999h",
		"id=ff200000000a050008e726c07781d009", "resource=nodes&name=n1&namespace=x&end=0&range=1ns", "name=%ff&kind=%00&group=&cluster=%20&ts=-1",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		v, err := s.viewOf(t.Context(), values, now)
		if err != nil {
			require.ErrorIs(t, err, errInvalid)
			return
		}
		again, ok := identity.ParseDisplay(v.Display.TraceID())
		require.True(t, ok)
		require.Equal(t, v.Display, again)
		_, ok = modes.ByID(again.Mode)
		require.True(t, ok)
	})
}
