// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadata"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/linker"
)

// linkerFunc is an extension that finds links.
type linkerFunc func(ctx context.Context, object linker.Object) ([]linker.Link, error)

func (linkerFunc) Start(context.Context, component.Host) error { return nil }
func (linkerFunc) Shutdown(context.Context) error              { return nil }
func (f linkerFunc) Links(ctx context.Context, object linker.Object) ([]linker.Link, error) {
	return f(ctx, object)
}

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

// linked puts a Deployment that is seen whole through a processor with a linker, and lists its links and how the linker fared.
func linked(t *testing.T, timeout time.Duration, l linkerFunc) (found []string, outcome string) {
	t.Helper()
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	cfg := createDefaultConfig().(*Config)
	id := component.MustNewID("example")
	cfg.Links.Linkers, cfg.Links.LinkerTimeout = []component.ID{id}, timeout
	sink := new(consumertest.TracesSink)
	p, err := NewFactory().CreateTraces(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), hostWith{id: l}))
	require.NoError(t, p.ConsumeTraces(t.Context(), show(shown{
		told: told{on: deployment("web"), name: "create", owners: "[]"}, snapshot: `{"metadata": {"name": "web"}}`, version: "1",
	})))
	require.NoError(t, p.ConsumeTraces(t.Context(), show(shown{
		told: told{on: deployment("web"), name: "again"}, snapshot: `{"metadata": {"name": "web"}}`, version: "1",
	})))
	metric, err := tel.GetMetric("otelcol_processor_k8slink_rule_evaluations")
	require.NoError(t, err)
	outcome = outcomesOf(t, metric)["linker example"]
	require.NoError(t, p.Shutdown(context.Background()))
	return linkPicture(t, sink.AllTraces()...), outcome
}

func TestLinkersFindLinks(t *testing.T) {
	calls := 0
	found, outcome := linked(t, time.Minute, func(_ context.Context, o linker.Object) ([]linker.Link, error) {
		calls++
		assert.Equal(t, linker.Object{
			Cluster: "prod", Group: "apps", Version: "v1", Kind: "Deployment", Resource: "deployments", Namespace: "default", Name: "web",
			UID: "uid-web", JSON: []byte(`{"metadata": {"name": "web"}}`),
		}, o)
		return []linker.Link{
			{Group: "example.com", Resource: "teams", Name: "shop", Role: "team", Class: "people"},
			{Kind: "Node", Name: "n1", Role: "runs-on"},
		}, nil
	})
	assert.Equal(t, []string{
		"deployments/web (below deployments/web) runs-on > nodes/n1 (below nodes/n1)",
		"deployments/web (below deployments/web) team > teams/shop (below teams/shop)",
		"nodes/n1 (below nodes/n1) runs-on < deployments/web (below deployments/web)",
		"teams/shop (below teams/shop) team < deployments/web (below deployments/web)",
	}, found)
	assert.Equal(t, "found", outcome)
	assert.Equal(t, 1, calls, "once for each version")
}

// TestLinkersDoNoHarm: what a linker does wrong costs its links and nothing else.
func TestLinkersDoNoHarm(t *testing.T) {
	for name, l := range map[string]linkerFunc{
		"an error": func(context.Context, linker.Object) ([]linker.Link, error) { return nil, errors.New("no") },
		"a panic":  func(context.Context, linker.Object) ([]linker.Link, error) { panic("no") },
		"slow":     func(ctx context.Context, _ linker.Object) ([]linker.Link, error) { <-ctx.Done(); return nil, ctx.Err() },
		"no role": func(context.Context, linker.Object) ([]linker.Link, error) {
			return []linker.Link{{Resource: "pods", Name: "p"}}, nil
		},
		"no type": func(context.Context, linker.Object) ([]linker.Link, error) {
			return []linker.Link{{Name: "p", Role: "r"}}, nil
		},
		"a bad role": func(context.Context, linker.Object) ([]linker.Link, error) {
			return []linker.Link{{Resource: "pods", Name: "p", Role: "A b"}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			found, outcome := linked(t, time.Millisecond, l)
			assert.Empty(t, found)
			assert.Equal(t, "failed", outcome)
		})
	}
	found, outcome := linked(t, time.Minute, func(_ context.Context, o linker.Object) ([]linker.Link, error) {
		return []linker.Link{{Group: o.Group, Resource: o.Resource, Namespace: o.Namespace, Name: o.Name, Role: "itself"}}, nil
	})
	assert.Empty(t, found)
	assert.Equal(t, "absent", outcome)
}

// TestALinkerThatHangsIsNotAskedForEver: its calls that have not come back are bounded, and Shutdown does not wait for them longer than
// it may.
func TestALinkerThatHangsIsNotAskedForEver(t *testing.T) {
	release := make(chan struct{})
	id := component.MustNewID("example")
	cfg := createDefaultConfig().(*Config)
	cfg.Links.Linkers, cfg.Links.LinkerTimeout = []component.ID{id}, time.Millisecond
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), hostWith{id: linkerFunc(func(context.Context, linker.Object) ([]linker.Link, error) {
		<-release
		return nil, nil
	})}))
	l := p.(*linkProcessor).engine.linkers[0]
	for range maxCalls {
		_, err := l.ask(linker.Object{})
		require.ErrorIs(t, err, errSlow)
	}
	_, err = l.ask(linker.Object{})
	require.ErrorIs(t, err, errBusy)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.Shutdown(ctx), context.Canceled)
	close(release)
	require.NoError(t, p.Shutdown(context.Background()))
}

func TestStartSaysWhichLinkerIsMissing(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	one, two := component.MustNewID("one"), component.MustNewID("two")
	cfg.Links.Linkers = []component.ID{one, two}
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	err = p.Start(t.Context(), hostWith{two: &struct{ component.Component }{}})
	require.EqualError(t, err, `links::linkers[0]: extension "one" is not declared: add it to extensions and to service::extensions
links::linkers[1]: extension "two" finds no links: name one that implements linker.Linker of k8slink`)
	require.NoError(t, p.Shutdown(context.Background()))
}

// outcomesOf are the outcomes that were counted, by rule.
func outcomesOf(t *testing.T, m metricdata.Metrics) map[string]string {
	t.Helper()
	sum, ok := m.Data.(metricdata.Sum[int64])
	require.True(t, ok)
	outcomes := map[string]string{}
	for _, point := range sum.DataPoints {
		rule, _ := point.Attributes.Value("rule")
		outcome, _ := point.Attributes.Value("outcome")
		outcomes[rule.AsString()] = outcome.AsString()
	}
	return outcomes
}
