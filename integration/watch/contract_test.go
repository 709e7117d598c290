// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package watch

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

// TestWatchKeepsTheContractOfReceivers: the Collector's own checker. Whatever errors the pipeline returns, nothing is lost that
// can be delivered.
func TestWatchKeepsTheContractOfReceivers(t *testing.T) {
	const ns, label = "contract", "contract=yes"
	require.NoError(t, bed.CreateNamespace(t.Context(), bed.Alice, ns))
	config := watchreceiver.NewFactory().CreateDefaultConfig().(*watchreceiver.Config)
	config.Include = []watchreceiver.RuleConfig{{Resources: []string{"configmaps"}, Namespaces: []string{ns}, Labels: label}}
	config.Retry.InitialInterval = time.Millisecond
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Factory: tellingNames(t), Signal: pipeline.SignalTraces, Config: config, GenerateCount: 200,
		Generator: &creator{t: t, namespace: ns, label: label},
	})
}

// tellingNames is the receiver's factory, but for what the checker cannot do: receivers are started with the extension that
// they need and once they watch, and the objects' names are what the checker looks for.
func tellingNames(t *testing.T) receiver.Factory {
	factory := watchreceiver.NewFactory()
	return receiver.NewFactory(factory.Type(), factory.CreateDefaultConfig, receiver.WithTraces(
		func(ctx context.Context, set receiver.Settings, config component.Config, next consumer.Traces) (receiver.Traces, error) {
			telling, err := consumer.NewTraces(func(ctx context.Context, traces ptrace.Traces) error {
				for _, rs := range traces.ResourceSpans().All() {
					name, _ := rs.Resource().Attributes().Get(attr.ObjectName)
					for _, ss := range rs.ScopeSpans().All() {
						for _, s := range ss.Spans().All() {
							s.Attributes().PutStr(receivertest.UniqueIDAttrName, name.Str())
						}
					}
				}
				return next.ConsumeTraces(ctx, traces)
			})
			if err != nil {
				return nil, err
			}
			w := newWatching(t, bed.Admin.Config)
			set.TelemetrySettings = w.telemetry.NewTelemetrySettings()
			r, err := factory.CreateTraces(ctx, set, config, telling)
			return &hosted{Traces: r, w: w}, err
		}, component.StabilityLevelAlpha))
}

// hosted is a receiver that brings its own host.
type hosted struct {
	receiver.Traces
	w *watching
}

func (h *hosted) Start(ctx context.Context, _ component.Host) error {
	if err := h.Traces.Start(ctx, h.w.host); err != nil {
		return err
	}
	for !h.w.haveListed([]string{"configmaps"}) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// creator makes ConfigMaps.
type creator struct {
	t                *testing.T
	namespace, label string
	made             atomic.Int64
}

func (*creator) Start() {}

// Stop takes all away, so that they are not there when the next receiver starts.
func (c *creator) Stop() {
	assert.NoError(c.t, bed.Alice.Client.CoreV1().ConfigMaps(c.namespace).
		DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: c.label}))
}

func (c *creator) Generate() []receivertest.UniqueIDAttrVal {
	name := fmt.Sprintf("map-%d", c.made.Add(1))
	_, err := bed.Alice.Client.CoreV1().ConfigMaps(c.namespace).Create(context.Background(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"contract": "yes"}},
	}, metav1.CreateOptions{})
	if err != nil {
		c.t.Error(err) // called by goroutines of the checker's own, which must not end the test
	}
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(name)}
}
