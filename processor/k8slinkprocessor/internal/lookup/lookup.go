// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// Result is how a look-up ended, as in the metric.
type Result string

// The results.
const (
	// Found: the owners are known now, or that there are none.
	Found Result = "found"
	// NotFound: there is no such object, or no such kind.
	NotFound Result = "not_found"
	// OtherLife: there is an object of that name, but it is not the one that the spans are about.
	OtherLife Result = "other_life"
	// Unavailable: nobody could be asked.
	Unavailable Result = "unavailable"
	// Timeout: the batch had no more time.
	Timeout Result = "timeout"
	// Abandoned: the sender of the batch gave up, and will send it again.
	Abandoned Result = "abandoned"
	// Remembered: it failed only just now, in one of the other ways.
	Remembered Result = "remembered"
	// NoCluster: the extension does not know a cluster of that name.
	NoCluster Result = "no_cluster"
)

// Settings configure look-ups.
type Settings struct {
	// Timeout is how long all look-ups of a batch may take together.
	Timeout time.Duration
	// MaxConcurrent is how many requests may be under way at the same time, for all batches.
	MaxConcurrent int
	// NegativeTTL is how long it is remembered that there is no answer, for at most MaxRemembered objects.
	NegativeTTL   time.Duration
	MaxRemembered int
	// Several says which of several owners counts.
	Several hierarchy.Several
}

// failedTTL is how long it is remembered that nobody could be asked, if NegativeTTL is not shorter.
const failedTTL = 5 * time.Second

// Lookups look up owners and kinds in all clusters. It is safe for concurrent use.
type Lookups struct {
	settings Settings
	clusters kubecluster.Clusters
	// observe is told how each look-up ended.
	observe func(hierarchy.Source, Result)
	now     func() time.Time

	places *semaphore.Weighted
	misses *misses
	// calls are the calls that have no context and may outlast a batch.
	calls sync.WaitGroup
}

// New returns look-ups in clusters.
func New(settings Settings, clusters kubecluster.Clusters, observe func(hierarchy.Source, Result), now func() time.Time) (*Lookups, error) {
	misses, err := newMisses(settings.MaxRemembered)
	if err != nil {
		return nil, fmt.Errorf("making the table of failed look-ups: %w", err)
	}
	return &Lookups{
		settings: settings, clusters: clusters, observe: observe, now: now,
		places: semaphore.NewWeighted(int64(settings.MaxConcurrent)), misses: misses,
	}, nil
}

// Wait waits for the calls that outlasted their batch.
func (l *Lookups) Wait() { l.calls.Wait() }

// Evictions is how many failures were forgotten before their time.
func (l *Lookups) Evictions() int64 { return l.misses.evictions() }

// Batch starts the look-ups of a batch.
func (l *Lookups) Batch() *Batch { return &Batch{Lookups: l, left: l.settings.Timeout} }

// Batch is a finder for one batch. It is not safe for concurrent use.
type Batch struct {
	*Lookups
	left time.Duration
	// abandoned is why the sender of the batch gave up while it was waited for answers.
	abandoned error
}

var _ hierarchy.Finder = (*Batch)(nil)

// Spent is how long the batch has waited.
func (b *Batch) Spent() time.Duration { return b.settings.Timeout - b.left }

// Abandoned returns why the sender of the batch gave up while it was waited for answers; nil if it did not. Then answers are
// missing that were to be had: the batch had time.
func (b *Batch) Abandoned() error { return b.abandoned }

// late is the result of what was not answered.
func (b *Batch) late() Result {
	if b.abandoned != nil {
		return Abandoned
	}
	return Timeout
}

// spend runs a function within the time that is left.
func (b *Batch) spend(sender context.Context, work func(context.Context)) {
	begun := b.now()
	ctx, cancel := context.WithTimeout(sender, b.left)
	defer cancel()
	work(ctx)
	b.left = max(0, b.left-b.now().Sub(begun))
	if sender.Err() != nil {
		b.abandoned = context.Cause(sender)
	}
}

// each runs a function for each of so many numbers, concurrently, as long as there are places and the context lasts. It
// returns when all that began have ended. The rest is given to late.
func (l *Lookups) each(ctx context.Context, n int, work, late func(i int)) {
	var all sync.WaitGroup
	defer all.Wait()
	for i := range n {
		if ctx.Err() != nil || l.places.Acquire(ctx, 1) != nil {
			for j := i; j < n; j++ {
				late(j)
			}
			return
		}
		all.Go(func() {
			defer l.places.Release(1)
			work(i)
		})
	}
}
