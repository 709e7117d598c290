// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadata"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

var (
	deployments = target{GroupVersionResource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, Kind: "Deployment", Namespaced: true}
	epoch       = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// rig is a watcher without an API server and a pipeline: what it tells becomes spans at once.
type rig struct {
	*watcher
	telemetry *componenttest.Telemetry
	budget    *states.Budget
	maker     *spanMaker
	batch     *objectspan.Batch
	clock     time.Time
	told      []*change
}

func newRig(tb testing.TB, config *Config, t target) *rig {
	tb.Helper()
	r := &rig{telemetry: componenttest.NewTelemetry(), budget: states.NewBudget(config.Memory.MaxStateSize), clock: epoch}
	tb.Cleanup(func() { require.NoError(tb, r.telemetry.Shutdown(context.Background())) })
	builder, err := metadata.NewTelemetryBuilder(r.telemetry.NewTelemetrySettings())
	require.NoError(tb, err)
	redactor, ownMarks, err := newRedactor(config.Redaction)
	require.NoError(tb, err)
	r.maker = &spanMaker{cluster: "prod", diff: config.Diff, snapshots: config.Snapshots, redactor: redactor, ownMarks: ownMarks}
	r.batch = objectspan.NewBatch(identity.Window(config.Window), metadata.ScopeName, "test")
	c := &comparer{
		redactor: redactor, differ: newDiffer(config.Diff), verbose: config.Diff.Verbose, started: epoch, telemetry: builder,
		now: func() time.Time { r.clock = r.clock.Add(time.Second); return r.clock },
		emit: func(_ context.Context, c *change) error {
			r.told = append(r.told, c)
			r.maker.append(r.batch, c)
			return nil
		},
	}
	r.watcher = newWatcher(tb.Context(), c, t, newFilter(config.Include, config.Exclude).of(t.name()), r.budget.NewTable(), nil, func() {})
	return r
}

func (r *rig) item(tb testing.TB, text string, listed bool) *source.Item {
	tb.Helper()
	item, err := r.read([]byte(text), listed)
	require.NoError(tb, err)
	return item
}

func (r *rig) list(tb testing.TB, texts ...string) {
	tb.Helper()
	items := make([]any, len(texts))
	for i := range texts {
		items[i] = r.item(tb, texts[i], true)
	}
	require.NoError(tb, r.Replace(items, "1"))
}

func jsonOf(tb testing.TB, value any) string {
	tb.Helper()
	text, err := json.Marshal(value)
	require.NoError(tb, err)
	return strings.ReplaceAll(string(text), `"LONG"`, `"`+strings.Repeat("long ", 1000)+`"`)
}

func encode(tb testing.TB, traces ptrace.Traces) string {
	tb.Helper()
	encoded, err := new(ptrace.JSONMarshaler).MarshalTraces(traces)
	require.NoError(tb, err)
	return string(encoded)
}
