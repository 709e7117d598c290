// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadata"
)

func TestStartSaysWhatToDeclare(t *testing.T) {
	r, err := NewFactory().CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	err = r.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, `extension "kube_clusters" is not declared`)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()), "twice is fine")
}

func TestAnExtensionThatKnowsNoClustersIsRefused(t *testing.T) {
	r, err := NewFactory().CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), otherExtension{}), "does not know clusters")
	require.NoError(t, r.Shutdown(t.Context()))
}

type otherExtension struct{}

func (otherExtension) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("kube_clusters"): otherExtension{}}
}
func (otherExtension) Start(context.Context, component.Host) error { return nil }
func (otherExtension) Shutdown(context.Context) error              { return nil }
