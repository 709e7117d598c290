// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

const recoverable = componentstatus.StatusRecoverableError

// TestAnAPIServerMayBeAwayAtTheStartAndLater starts the extension before there is an API server, and kills that in between.
func TestAnAPIServerMayBeAwayAtTheStartAndLater(t *testing.T) {
	server := newAPIServer(t)
	e := startExtension(t, map[string]any{"server": map[string]any{
		"url": server.url, "token": server.cluster.Admin.Token, "tls": map[string]any{"ca_pem": string(server.cluster.Admin.Config.CAData)},
	}}, map[string]any{
		"discovery": map[string]any{"min_interval": "100ms", "retry": map[string]any{"initial_interval": "100ms", "max_interval": "1s"}},
		"lookups":   map[string]any{"ttl": "1ms"},
	})
	deployment := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	away := func() {
		assert.Contains(t, e.is(recoverable), "connection refused")
		mapping, err := e.Mapper().RESTMapping(deployment)
		require.NoError(t, err)
		assert.Equal(t, "deployments", mapping.Resource.Resource)
		_, err = e.Mapper().RESTMapping(schema.GroupKind{Group: "example.com", Kind: "Widget"})
		assert.True(t, meta.IsNoMatchError(err))
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
		_, err = e.lookUp("namespaces", "", "default")
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
	}
	back := func() {
		e.is(componentstatus.StatusOK)
		_, err := e.lookUp("namespaces", "", "default")
		require.NoError(t, err)
		_, err = e.Mapper().RESTMapping(schema.GroupKind{Group: "example.com", Kind: "Widget"})
		assert.True(t, meta.IsNoMatchError(err))
		assert.NotErrorIs(t, err, kubecluster.ErrUnavailable)
	}

	away()
	_, err := e.UID(t.Context())
	require.ErrorIs(t, err, kubecluster.ErrUnavailable)
	server.start()
	back()
	uid, err := e.UID(t.Context())
	require.NoError(t, err)

	server.kill()
	require.EventuallyWithT(t, func(c *assert.CollectT) { // a look-up finds it out
		_, err := e.lookUp("namespaces", "", "default")
		assert.ErrorIs(c, err, kubecluster.ErrUnavailable)
		status, _ := e.host.last()
		assert.Equal(c, recoverable, status)
	}, patience, 20*time.Millisecond)
	away()
	again, err := e.UID(t.Context())
	require.NoError(t, err, "which does not change")
	assert.Equal(t, uid, again)
	server.start()
	back()
}
