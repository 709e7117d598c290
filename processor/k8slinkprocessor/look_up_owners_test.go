// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup/lookuptest"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadata"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/metadatatest"
)

// withLookups gives an engine look-ups in clusters.
func withLookups(tb testing.TB, e *engine, clusters *lookuptest.Clusters) *engine {
	c := defaultLookup()
	var err error
	e.lookups, err = lookup.New(lookup.Settings{
		Timeout: c.Timeout, MaxConcurrent: c.MaxConcurrent, NegativeTTL: time.Nanosecond, MaxRemembered: 1000, Several: e.several,
	}, clusters, func(hierarchy.Source, lookup.Result) {}, time.Now)
	require.NoError(tb, err)
	return e
}

func TestWhatNoSpanTellsIsLookedUp(t *testing.T) {
	web, rs, a := deployment("web"), replicaSet("web-1"), pod("web-1-a")
	withUID := func(r objectspan.Resource, uid string) objectspan.Resource {
		r.UID = uid
		return r
	}
	cactus := resource("example.com/v1", "Cactus", "spiky", "uid-spiky")
	cactus.Object.Resource = "prickly-ones"
	desert := resource("example.com/v1", "Desert", "gobi", "uid-gobi")
	desert.Namespace = ""
	clusters := func() *lookuptest.Clusters {
		c := lookuptest.New("prod")
		c.Put(web)
		c.Put(rs, web)
		c.Put(a, rs)
		c.Put(cactus, desert)
		c.Put(pod("prickle"), cactus)
		c.Serve("example.com", "Cactus", "prickly-ones", meta.RESTScopeNamespace)
		c.Serve("example.com", "Desert", "deserts", meta.RESTScopeRoot)
		return c
	}
	for name, tt := range map[string]struct {
		batches []ptrace.Traces
		want    string
	}{
		"the whole chain": {
			[]ptrace.Traces{receive(told{on: a, name: "patch"})},
			`
			deployments/web
			  replicasets/web-1
			    pods/web-1-a
			      patch`,
		},
		"above what spans tell": {
			[]ptrace.Traces{receive(told{on: a, name: "create", owners: controlledBy(rs)})},
			`
			deployments/web
			  replicasets/web-1
			    pods/web-1-a
			      create`,
		},
		"without a UID": {
			[]ptrace.Traces{receive(told{on: withUID(a, ""), name: "patch"})},
			`
			deployments/web
			  replicasets/web-1
			    pods/web-1-a
			      patch`,
		},
		"not of another life": {
			[]ptrace.Traces{receive(told{on: withUID(a, "before"), name: "patch"})},
			`
			pods/web-1-a
			  patch`,
		},
		"not of an owner that is another by now": {
			[]ptrace.Traces{receive(told{on: a, name: "create", owners: controlledBy(withUID(rs, "before"))})},
			`
			replicasets/web-1
			  pods/web-1-a
			    create`,
		},
		"what spans tell counts": {
			[]ptrace.Traces{receive(told{on: a, name: "create", owners: "[]"})},
			`
			pods/web-1-a
			  create`,
		},
		"custom kinds, their plurals and scopes too": {
			[]ptrace.Traces{receive(told{on: pod("prickle"), name: "patch"})},
			`
			deserts/gobi
			  prickly-ones/spiky
			    pods/prickle
			      patch`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := withLookups(t, newTestEngine(t), clusters())
			runAll(e, tt.batches)
			assert.Equal(t, trimPicture(tt.want), picture(tt.batches...))
			e.lookups.Wait()
		})
	}
}

func TestWhatWasLookedUpIsRemembered(t *testing.T) {
	rs, a := replicaSet("web-1"), pod("web-1-a")
	c := lookuptest.New("prod")
	c.Put(a, rs)
	c.Put(rs)
	e := withLookups(t, newTestEngine(t), c)
	for range 3 {
		run(e, receive(told{on: a, name: "patch"}))
	}
	_, asked := c.Asked(a)
	assert.Equal(t, 2, asked)
	for _, s := range flatten(run(newTestEngine(t), run(e, receive(told{on: a, name: "later", at: noon.Add(time.Hour)})))) {
		if s.Name() == "later" {
			assert.Equal(t, identity.TraceID(rs.Object, noon.Add(time.Hour)), s.TraceID(), "and another k8slink learns it from the object's span")
		}
	}
}

// TestAFailedLookUpMakesARoot, and nothing is dropped.
func TestAFailedLookUpMakesARoot(t *testing.T) {
	rs, a := replicaSet("web-1"), pod("web-1-a")
	c := lookuptest.New("prod")
	c.Put(a, rs)
	c.Put(rs)
	broken := true
	c.Answer(func(_ context.Context, _ identity.Object) error {
		if broken {
			return context.DeadlineExceeded
		}
		return nil
	})
	e := withLookups(t, newTestEngine(t), c)
	early := run(e, receive(told{on: a, name: "early"}))
	broken = false
	late := run(e, receive(told{on: a, name: "late"}))
	assert.Equal(t, trimPicture(`
		pods/web-1-a
		  early

		replicasets/web-1
		  pods/web-1-a -> 712c91b3f5776a2fa2fa989b01276489/0d03e97be3811dde
		    late`), picture(early, late))
}

func TestMultipleOwners(t *testing.T) {
	owners := identity.FormatOwners([]identity.OwnerReference{reference(replicaSet("x")), reference(replicaSet("y"))})
	for several, want := range map[hierarchy.Several]string{
		hierarchy.ControllerOnly: `
			pods/a
			  create`,
		hierarchy.First: `
			replicasets/x
			  pods/a
			    create`,
	} {
		e := newTestEngine(t, func(c *Config) { c.MultipleOwners = string(several) })
		assert.Equal(t, trimPicture(want), picture(run(e, receive(told{on: pod("a"), name: "create", owners: owners}))))
	}
}

func TestAnObjectWithoutANamespaceIsNotOwnedByOneInANamespace(t *testing.T) {
	node := resource("v1", "Node", "n1", "uid-n1")
	e := newTestEngine(t)
	td := receive(told{on: node, name: "create", owners: controlledBy(pod("a"))})
	b := attempt(e, td)
	assert.Equal(t, trimPicture(`
		nodes/n1
		  create`), picture(td))
	assert.EqualValues(t, 1, b.forest.Misplaced())
}

// TestDeletedObjectsKeepTheirOwners when others have to give way.
func TestDeletedObjectsKeepTheirOwners(t *testing.T) {
	rs, a := replicaSet("rs"), pod("a")
	e := newTestEngine(t, func(c *Config) { c.MaxObjects = 10 })
	td := receive(told{on: a, name: "create", owners: controlledBy(rs)}, told{on: a, name: "deleted"})
	flatten(td)[1].Attributes().PutStr("kelemetry.span.type", "watch")
	run(e, td)
	for i := range 100 {
		run(e, receive(told{on: pod(string(rune('A' + i))), name: "create", owners: controlledBy(rs)}))
	}
	assert.EqualValues(t, 10, e.knowledge.Stats().Objects)
	late := run(e, receive(told{on: a, name: "late"}))
	assert.Equal(t, identity.TraceID(rs.Object, noon), flatten(late)[0].TraceID())
}

type lookupHost struct {
	extensions map[component.ID]component.Component
}

func (h lookupHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func TestLookUpsAreConfiguredAndCounted(t *testing.T) {
	tel := componenttest.NewTelemetry()
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	c := lookuptest.New("prod")
	rs, a := replicaSet("web-1"), pod("web-1-a")
	c.Put(a, rs)
	c.Put(rs)
	c.Watch(a)
	cfg := createDefaultConfig().(*Config)
	cfg.Lookup = configoptional.Some(defaultLookup())
	sink := new(consumertest.TracesSink)
	p := create(t, set, cfg, sink)
	require.ErrorContains(t, p.Start(t.Context(), componenttest.NewNopHost()), `lookup::clusters: extension "kube_clusters" is not declared`)
	host := lookupHost{map[component.ID]component.Component{component.MustNewID("kube_clusters"): c}}
	require.NoError(t, p.Start(t.Context(), host))
	require.NoError(t, p.ConsumeTraces(t.Context(), receive(told{on: a, name: "patch"}, told{on: pod("none"), name: "patch"})))

	point := func(asked, result string) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: 1, Attributes: attribute.NewSet(attribute.String("asked", asked), attribute.String("result", result))}
	}
	metadatatest.AssertEqualProcessorK8slinkLookups(t, tel, []metricdata.DataPoint[int64]{
		point("watch", "found"), point("kube_clusters", "found"), point("kube_clusters", "not_found"),
	}, metricdatatest.IgnoreTimestamp())
	by := func(source string) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: 1, Attributes: attribute.NewSet(attribute.String("source", source))}
	}
	metadatatest.AssertEqualProcessorK8slinkOwners(t, tel, []metricdata.DataPoint[int64]{by("watch"), by("none"), by("unknown")}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(t.Context()))
}

func create(t *testing.T, set processor.Settings, cfg *Config, next *consumertest.TracesSink) processor.Traces {
	t.Helper()
	require.NoError(t, cfg.Validate())
	p, err := NewFactory().CreateTraces(t.Context(), set, cfg, next)
	require.NoError(t, err)
	return p
}

// TestWhatItsSenderGaveUpIsRefused, and not placed without the answers that are still to come: Kafka's receiver gives up when a
// partition goes to another process, which reads the same spans again.
func TestWhatItsSenderGaveUpIsRefused(t *testing.T) {
	rs, a, cactus := replicaSet("web-1"), pod("web-1-a"), resource("example.com/v1", "Cactus", "spiky", "uid-spiky")
	c := lookuptest.New("prod")
	c.Put(a, rs)
	c.Put(rs, cactus)
	c.Serve("example.com", "Cactus", "prickly-ones", meta.RESTScopeNamespace)
	cfg := createDefaultConfig().(*Config)
	cfg.Lookup = configoptional.Some(defaultLookup())
	sink := new(consumertest.TracesSink)
	p := create(t, processortest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, p.Start(t.Context(), lookupHost{map[component.ID]component.Component{component.MustNewID("kube_clusters"): c}}))

	gone := errors.New("the partition is another's")
	giveUp := func(td ptrace.Traces, at int) error {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		asked := 0
		c.Answer(func(ctx context.Context, _ identity.Object) error {
			if asked++; asked < at {
				return nil
			}
			cancel(gone)
			<-ctx.Done()
			return ctx.Err()
		})
		defer c.Answer(nil)
		return p.ConsumeTraces(ctx, td)
	}
	patch := func() ptrace.Traces { return receive(told{on: a, name: "patch"}) }
	td := patch()
	for at := 1; at <= 2; at++ {
		require.ErrorIs(t, giveUp(td, at), gone)
		assert.Empty(t, sink.AllTraces())
		require.NoError(t, ptracetest.CompareTraces(patch(), td), "left as it was")
	}
	require.NoError(t, p.ConsumeTraces(t.Context(), td))
	assert.Equal(t, trimPicture(`
		prickly-ones/spiky
		  replicasets/web-1
		    pods/web-1-a
		      patch`), picture(sink.AllTraces()...))

	// Who gives up on what needs no look-up has it taken.
	sink.Reset()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, p.ConsumeTraces(ctx, receive(told{on: cactus, name: "create", owners: "[]"})))
	assert.Equal(t, 2, sink.SpanCount())
	require.NoError(t, p.Shutdown(t.Context()))
}
