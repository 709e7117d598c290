// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// TestSlowClientsHoldNoSlot: all that a client has not taken yet has no slot, whatever was asked for, and others are worked for.
func TestSlowClientsHoldNoSlot(t *testing.T) {
	w := storagetest.NewWorld(5)
	p := newPlugin(t, &w.Store)
	d, _ := identity.NewDisplay(0x20000000, w.Deployment.ID(), w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
	upsideDown := query(w, "", "", nil)
	upsideDown.StartMin, upsideDown.StartMax = upsideDown.StartMax, upsideDown.StartMin
	p.Search.Limits.Traces = 1 // so that there is a note
	for name, results := range map[string]iter.Seq2[ptrace.Traces, error]{
		"a view":         p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: d.TraceID()}}),
		"a stored trace": p.GetTraces(t.Context(), []jaegerstorage.TraceParams{{TraceID: w.TraceIDs()[0]}}),
		"a search":       p.FindTraces(t.Context(), query(w, "tracing [links]", "", map[string]any{"namespace": "default"})),
		"a wrong search": p.FindTraces(t.Context(), upsideDown),
	} {
		t.Run(name, func(t *testing.T) {
			taken := 0
			for _, err := range results {
				require.NoError(t, err)
				taken++
				assert.Empty(t, p.Slots)
				_, err := p.Operations(t.Context(), "", "")
				require.NoError(t, err)
			}
			assert.Positive(t, taken)
			assert.Empty(t, p.Slots)
			assert.Empty(t, p.Sending)
		})
	}
}

// TestWhatIsBeingTakenIsBounded: when many clients are slow, results wait for one of them, and with them their requests.
func TestWhatIsBeingTakenIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := storagetest.NewWorld(0)
		p := newPlugin(t, &w.Store)
		p.Sending = make(chan struct{}, 1)
		v := View{Mode: p.Modes.Default()}
		v.Display, _ = identity.NewDisplay(v.Mode.ID, w.Deployment.ID(), w.Start.Add(-time.Hour), w.Start.Add(time.Hour))
		require.NoError(t, p.View(t.Context(), v, func(ptrace.Traces) {
			p.Timeout = 20 * time.Millisecond
			err := p.View(t.Context(), v, func(ptrace.Traces) { t.Error("two are taken at a time") })
			require.ErrorIs(t, err, errBusy)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}))
		require.NoError(t, p.View(t.Context(), v, func(ptrace.Traces) {}))
	})
}

// TestASearchThatIsTakenSlowlyIsNotCompleted: what the search itself has read is shown when its time is over.
func TestASearchThatIsTakenSlowlyIsNotCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := storagetest.NewWorld(3)
		p := newPlugin(t, &w.Store)
		p.Concurrency, p.Timeout = 1, 200*time.Millisecond
		var all []ptrace.Traces
		for td, err := range p.FindTraces(t.Context(), query(w, "tracing [links]", "prod", map[string]any{"resource": "pods"})) {
			require.NoError(t, err)
			if all = append(all, td); len(all) == 1 {
				time.Sleep(2 * p.Timeout) // it is this that makes the client slow; the clock is the bubble's
			}
		}
		require.Len(t, all, 3)
		assert.Empty(t, warningsOf(all[0]))
		assert.Contains(t, warningsOf(all[2]), "only what the search has read is shown")
	})
}

// TestAClientThatIsGoneEndsTheWork: nothing more is read for it.
func TestAClientThatIsGoneEndsTheWork(t *testing.T) {
	w := storagetest.NewWorld(5)
	p := newPlugin(t, &w.Store)
	p.Concurrency = 1
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read := 0
	for _, err := range p.FindTraces(ctx, query(w, "tracing [links]", "prod", map[string]any{"resource": "pods"})) {
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			break
		}
		cancel()
		read = len(w.Queries())
	}
	assert.Positive(t, read)
	assert.Len(t, w.Queries(), read)
	assert.Empty(t, p.Slots)
	assert.Empty(t, p.Sending)
}
