// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"
)

// counts are what was left out.
type counts map[string]int

func finder(store *storagetest.Store, limits Limits, left counts) *Finder {
	return &Finder{
		Storage: store, Clusters: store.Services, Window: 30 * time.Minute, Limits: limits,
		LeftOut: func(_ context.Context, what string, n int) { left[what] += n },
	}
}

func everything(w *storagetest.World) Criteria {
	return Criteria{Start: w.Start.Add(-time.Hour), End: w.Start.Add(time.Hour)}
}

func TestEachObjectIsFoundOnceNewestFirst(t *testing.T) {
	w := storagetest.NewWorld(1)
	left := counts{}
	found, err := finder(&w.Store, Limits{Traces: 100, Spans: 1000, Concurrency: 2}, left).Find(t.Context(), everything(w))
	require.NoError(t, err)
	var ids []string
	for _, hit := range found.Hits {
		ids = append(ids, hit.Object.String())
	}
	assert.Equal(t, []string{
		w.Deployment.ID().String(), w.Namesake.ID().String(), w.Node.ID().String(), w.Pods[0].ID().String(), w.ReplicaSet.ID().String(),
	}, ids)
	assert.Equal(t, "prod", found.Hits[0].Cluster)
	assert.Equal(t, "stage", found.Hits[1].Cluster)
	assert.True(t, found.Complete)
	assert.Empty(t, found.Warnings)
	assert.Empty(t, left)
}

// TestWhatLimitsLeaveOutIsSaid and makes the result incomplete.
func TestWhatLimitsLeaveOutIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		limits Limits
		what   string
		text   string
	}{
		"traces": {Limits{Traces: 1, Spans: 1000, Concurrency: 1}, collect.LeftTraces, "only 1 stored traces of cluster prod were searched"},
		"spans":  {Limits{Traces: 100, Spans: 1, Concurrency: 1}, collect.LeftSpans, "there are more than 1 spans"},
	} {
		t.Run(name, func(t *testing.T) {
			w := storagetest.NewWorld(1)
			left := counts{}
			c := everything(w)
			c.Cluster = "prod"
			found, err := finder(&w.Store, test.limits, left).Find(t.Context(), c)
			require.NoError(t, err)
			require.Len(t, found.Warnings, 1)
			assert.Contains(t, found.Warnings[0], test.text)
			assert.False(t, found.Complete)
			assert.Equal(t, counts{test.what: 1}, left)
		})
	}
}

func TestAFailureIsAnErrorOnlyIfNothingWasFound(t *testing.T) {
	w := storagetest.NewWorld(0)
	down := errors.New("down")
	w.Before = func(_ context.Context, call, service string) error {
		if call == "find" && service == "prod" {
			return down
		}
		return nil
	}
	left := counts{}
	f := finder(&w.Store, Limits{Traces: 100, Spans: 1000, Concurrency: 1}, left)
	found, err := f.Find(t.Context(), everything(w))
	require.NoError(t, err)
	assert.Len(t, found.Hits, 1)
	assert.Equal(t, []string{"cluster prod could not be searched: down"}, found.Warnings)
	assert.Equal(t, counts{collect.LeftFailed: 1}, left)

	c := everything(w)
	c.Cluster = "prod"
	_, err = f.Find(t.Context(), c)
	require.ErrorIs(t, err, down)
}
