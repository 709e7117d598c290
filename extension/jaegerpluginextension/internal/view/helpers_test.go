// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var asked = pcommon.TraceID{0xff, 0x20, 15: 1}

func modes(tb testing.TB) *mode.Set {
	set, err := mode.NewSet(mode.DefaultConfig())
	require.NoError(tb, err)
	return set
}

func modeNamed(tb testing.TB, name string) mode.Mode {
	m, err := modes(tb).ByName(name)
	require.NoError(tb, err)
	return m
}

func graphOf(batches ...ptrace.Traces) *model.Graph {
	g := model.NewGraph(model.Limits{})
	for _, td := range batches {
		g.Add(td)
	}
	return g
}

// displayID stands for the plugin's.
func displayID(id identity.ID) (trace pcommon.TraceID) {
	trace[0] = 0xff
	copy(trace[9:], id[:])
	return trace
}

// recorded is the stored trace of testbed.RolloutScenario on a real control plane, as config-examples/all-sources.yaml made it.
func recorded(tb testing.TB) (td ptrace.Traces, deployment identity.ID) {
	file, err := os.Open("testdata/recorded/stored.pb.gz")
	require.NoError(tb, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(tb, err)
	bytes, err := io.ReadAll(unzipped)
	require.NoError(tb, err)
	td, err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(bytes)
	require.NoError(tb, err)
	return td, identity.ObjectID(identity.Object{Cluster: "prod", Group: "apps", Resource: "deployments", Namespace: "demo", Name: "demo"})
}

// shown is a span of a view with its resource.
type shown struct {
	ptrace.Span
	resource pcommon.Map
}

func spansIn(td ptrace.Traces) (all []shown) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				all = append(all, shown{span, rs.Resource().Attributes()})
			}
		}
	}
	return all
}

func childrenOf(td ptrace.Traces, parent pcommon.SpanID) (names []string) {
	for _, s := range spansIn(td) {
		if s.ParentSpanID() == parent {
			names = append(names, s.Name())
		}
	}
	return names
}
