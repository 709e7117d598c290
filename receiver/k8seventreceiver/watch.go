// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// watch delivers what happens from the position on, until the watch ends. The position moves behind what the pipeline
// accepted; while it accepts nothing, nothing is read either.
func (f *follower) watch(ctx context.Context) (how outcome, err error) {
	defer func() {
		if ctx.Err() == nil {
			f.count(operationWatch, how)
		}
	}()
	timeout := f.timing.watchTimeout + rand.N(f.timing.watchTimeout) //nolint:gosec // only to spread requests
	seconds := int64(timeout.Seconds())
	// A connection that died without a word does not hold the watch for ever.
	watching, cancel := context.WithTimeout(ctx, timeout+f.timing.longestPause)
	defer cancel()
	began := time.Now()
	w, err := f.api.Watch(watching, metav1.ListOptions{
		ResourceVersion: f.at.ResourceVersion, AllowWatchBookmarks: true, TimeoutSeconds: &seconds,
	})
	if err != nil {
		return outcomeOf(err), err
	}
	defer w.Stop()
	f.health.set(f.key, nil)

	for something := false; ; something = true {
		c := f.collect(ctx, w.ResultChan())
		if c.resourceVersion != "" {
			if err := f.take(ctx, c.items, operationWatch, isNew, f.refused); err != nil {
				return outcomeOK, err
			}
			at := f.at.later(c.items)
			at.ResourceVersion = c.resourceVersion
			f.moveTo(ctx, at)
		}
		if !c.ended {
			continue
		}
		how = outcomeOf(c.err)
		if how == outcomeOK && c.resourceVersion == "" && !something && isStale(time.Since(began), timeout, f.timing.healthyAfter) {
			how = outcomeSilent
		}
		return how, c.err
	}
}

// isStale suspects a watch without anything in it: one that was closed soon, because that is how some API servers say that
// the resourceVersion is gone, and one that lasted until its end, because after that time it is likely to be. One
// that ended between, perhaps with its API server, goes on from where it was.
func isStale(lived, timeout, healthyAfter time.Duration) bool {
	return lived < healthyAfter || lived >= timeout.Truncate(time.Second)
}

func isNew(*occurrence) reason { return keep }

// collected is a piece of a watch.
type collected struct {
	items []item
	// resourceVersion is the last one in it.
	resourceVersion string
	ended           bool
	err             error
}

// collect waits for something to happen, and then a moment for more.
func (f *follower) collect(ctx context.Context, results <-chan watch.Event) (c collected) {
	var wait <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			c.ended = true
			return c
		case <-wait:
			return c
		case result, ok := <-results:
			if !ok {
				c.ended = true
				return c
			}
			c.add(result)
			if c.ended || len(c.items) >= f.batchSize {
				return c
			}
		}
		if wait == nil {
			wait = time.After(f.timing.batchWait)
		}
	}
}

func (c *collected) add(result watch.Event) {
	if result.Type == watch.Error {
		c.ended, c.err = true, apierrors.FromObject(result.Object)
		return
	}
	event, ok := result.Object.(*eventsv1.Event)
	if !ok {
		c.ended, c.err = true, fmt.Errorf("a watch of Events sent %T", result.Object)
		return
	}
	c.resourceVersion = event.ResourceVersion
	if result.Type != watch.Bookmark {
		event.ManagedFields = nil
		c.items = append(c.items, item{Event: event, deleted: result.Type == watch.Deleted})
	}
}
