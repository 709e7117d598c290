// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

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

func TestStatusIsRecoverableAsLongAsAnythingFails(t *testing.T) {
	var reported []string
	h := newHealth(func(e *componentstatus.Event) {
		text := e.Status().String()
		if e.Err() != nil {
			text += ": " + e.Err().Error()
		}
		reported = append(reported, text)
	}, zap.NewNop())
	h.works("pods")
	h.failed("pods", errors.New("forbidden"))
	h.failed("pods", errors.New("forbidden"))
	h.failed("nodes", errors.New("no answer"))
	h.works("pods")
	h.gone("nodes")
	assert.Equal(t, []string{
		"StatusRecoverableError: cannot watch pods: forbidden",
		"StatusRecoverableError: cannot watch nodes, pods: no answer",
		"StatusRecoverableError: cannot watch nodes: no answer",
		"StatusOK",
	}, reported)
}
