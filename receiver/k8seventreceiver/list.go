// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"time"

	"go.uber.org/zap"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// list delivers all Events behind the position, page by page, and moves the position to where a watch goes on from. A
// page is fetched when the one before has been accepted. If one fails, the list starts again: what was delivered is
// tracked, and has the same IDs.
func (f *follower) list(ctx context.Context) error {
	var from string // the resourceVersion of the whole list
	behind := f.at
	for next := ""; ; {
		page, err := f.api.List(ctx, metav1.ListOptions{Limit: int64(f.batchSize), Continue: next})
		f.count(operationList, outcomeOf(err))
		if err != nil {
			return err
		}
		f.health.set(f.key, nil)
		if from == "" {
			from = page.ResourceVersion
			if f.at.isAheadOf(from) {
				f.logger.Warn("The API server is behind the stored position: its storage was restored from a copy. Reading all Events since then",
					zap.String("position", f.at.ResourceVersion), zap.String("server", from))
				f.at.ResourceVersion = ""
			}
		}
		items := itemsOf(page)
		if err := f.take(ctx, items, operationList, f.old(time.Now()), f.refused); err != nil {
			return err
		}
		behind = behind.later(items)
		if next = page.Continue; next == "" {
			f.moveTo(ctx, position{ClusterUID: f.at.ClusterUID, ResourceVersion: from, LastObserved: behind.LastObserved})
			return nil
		}
	}
}

func itemsOf(page *eventsv1.EventList) []item {
	items := make([]item, len(page.Items))
	for i := range page.Items {
		items[i].Event = &page.Items[i]
	}
	return items
}

// old tells what of a list is not to be delivered: what is not behind the position or, without one, what is older than
// max_age and than everything that was accepted.
func (f *follower) old(now time.Time) func(*occurrence) reason {
	at, since := f.at, now.Add(-f.maxAge)
	if !at.LastObserved.IsZero() && at.LastObserved.Before(since) {
		since = at.LastObserved
	}
	return func(o *occurrence) reason {
		switch {
		case at.ResourceVersion == "" && o.end.Before(since):
			return reasonTooOld
		case at.ResourceVersion != "" && at.covers(o.event.ResourceVersion):
			return reasonKnown
		}
		return keep
	}
}
