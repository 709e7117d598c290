// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/kelemetry/kelemetry/internal/retry"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"
)

// patience slows down the tries of what the account may not watch: each pause is twice as long as the one before, from a
// second to the limit. The reflector would go on every 30 s for each of perhaps hundreds of resources. It is used by one
// goroutine at a time, those of a reflector.
type patience struct {
	limit time.Duration
	next  time.Duration
}

const firstPause = time.Second

// after waits if a request was forbidden. What works again is the watch: an account may be allowed to list alone.
func (p *patience) after(ctx context.Context, err error, watching bool) {
	switch {
	case err == nil && watching:
		p.next = 0
	case apierrors.IsForbidden(err):
		p.next = min(max(2*p.next, firstPause), p.limit)
		retry.Sleep(ctx, p.next)
	}
}

// slowed returns what lists and watches a resource as the source does, with patience.
func slowed(s *source.Source, limit time.Duration) cache.ListerWatcher {
	p := &patience{limit: limit}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			objects, err := s.List(ctx, options)
			p.after(ctx, err, false)
			return objects, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			w, err := s.Watch(ctx, options)
			if err == nil || options.SendInitialEvents == nil { // otherwise the reflector lists, and that waits
				p.after(ctx, err, true)
			}
			return w, err
		},
	}
}
