// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/kelemetry/kelemetry/internal/retry"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

// watches runs a watch for each resource that there is. Its run is the one goroutine that starts and stops them.
type watches struct {
	*comparer
	config    *Config
	filter    *filter
	discovery discovery.CachedDiscoveryInterface
	client    rest.Interface
	lists     *semaphore.Weighted
	budget    *states.Budget
	offered   *offered
	health    *health
	logger    *zap.Logger

	running map[watchKey]*running
	count   atomic.Int64
	// nudge asks for a discovery soon.
	nudge chan struct{}
}

// running is a watch. Its table outlives it when the resource changes its version.
type running struct {
	target target
	table  *states.Table
	cancel context.CancelFunc
	done   chan struct{}
}

const (
	// Discovery follows some time after a CustomResourceDefinition, in steps. So it is asked again and again for a while.
	hotFor      = 15 * time.Second
	hotInterval = time.Second
	// retryDiscovery is for when the API server did not answer, or not for all groups.
	retryDiscovery = 10 * time.Second
	// listStall is how long a streamed list may pause, see [source.Source].
	listStall = 30 * time.Second
)

// run watches until ctx ends, and returns when all watches have ended.
func (w *watches) run(ctx context.Context) {
	defer w.stopAll()
	var hotUntil time.Time
	for {
		begun := w.now()
		pause := w.config.DiscoveryInterval
		if !w.discover(ctx) {
			pause = min(pause, retryDiscovery)
		}
		if w.now().Before(hotUntil) {
			pause = min(pause, hotInterval)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-w.nudge:
			timer.Stop()
			hotUntil = w.now().Add(hotFor)
		}
		// However many types somebody installs, the API server is not asked more often than this.
		if !retry.Sleep(ctx, hotInterval-w.now().Sub(begun)) {
			return
		}
	}
}

// soon asks for a discovery soon.
func (w *watches) soon() {
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

// discover starts and stops watches, and reports whether all resources are known.
func (w *watches) discover(ctx context.Context) bool {
	w.discovery.Invalidate()
	lists, err := w.discovery.ServerPreferredResources()
	if ctx.Err() != nil {
		return true
	}
	unknown, complete := unknownGroups(err)
	if err != nil {
		w.telemetry.ReceiverWatchDiscoveryFailures.Add(ctx, 1)
		w.health.failed("discovery", err)
	} else {
		w.health.works("discovery")
	}
	if !complete {
		return false
	}
	w.apply(ctx, targetsOf(lists, w.filter, w.config.Namespaces), unknown)
	return err == nil
}

// unknownGroups returns the groups that did not answer, and false if nothing is known at all.
func unknownGroups(err error) (map[string]bool, bool) {
	unknown := map[string]bool{}
	var failed *discovery.ErrGroupDiscoveryFailed
	if err != nil && !errors.As(err, &failed) {
		return nil, false
	}
	if failed != nil {
		for gv := range failed.Groups {
			unknown[gv.Group] = true
		}
	}
	return unknown, true
}

// apply leaves watches of groups alone that did not answer: that a server is down does not mean that its objects are gone.
func (w *watches) apply(ctx context.Context, wanted map[watchKey]target, unknown map[string]bool) {
	for key, r := range w.running {
		t, ok := wanted[key]
		switch {
		case ok && t == r.target, !ok && unknown[key.Group]:
		case ok:
			w.logger.Info("A resource changed its version.", zap.Stringer("resource", t.GroupVersionResource))
			w.stop(key)
			w.start(ctx, key, t, r.table)
		default:
			w.stop(key)
			w.health.gone(key.String())
			w.logger.Info("A resource is gone.", zap.Stringer("resource", r.target.GroupVersionResource), zap.Int("objects", r.table.Clear()))
		}
	}
	for key := range wanted {
		w.health.wants(key.String())
	}
	for key, t := range wanted {
		if w.running[key] == nil {
			w.start(ctx, key, t, nil)
		}
	}
	w.count.Store(int64(len(w.running)))
}

func (w *watches) start(ctx context.Context, key watchKey, t target, table *states.Table) {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{target: t, table: table, cancel: cancel, done: make(chan struct{})}
	if table == nil {
		r.table = w.budget.NewTable()
	}
	store := newWatcher(ctx, w.comparer, t, w.filter.of(t.name()), r.table, w.onChange(t), func() { w.health.listed(key.String()) })
	store.relearn.Store(table != nil)
	reflector := cache.NewReflectorWithOptions(w.source(key, t, store), &source.Item{}, store, cache.ReflectorOptions{Name: key.String(), Logger: new(logr.Discard())})
	w.running[key] = r
	w.offered.add(key, t, r.table)
	go func() {
		defer close(r.done)
		reflector.RunWithContext(klog.NewContext(ctx, logr.Discard())) // health tells what is wrong
	}()
}

func (w *watches) source(key watchKey, t target, store *watcher) cache.ListerWatcher {
	s := &source.Source{
		Client: w.client, Resource: t.GroupVersionResource, Namespace: key.namespace, Lists: w.lists, PageSize: w.config.Lists.PageSize, Stall: listStall,
		Read:  store.read,
		Works: func() { w.health.works(key.String()) },
		Failed: func(err error) {
			w.telemetry.ReceiverWatchWatchFailures.Add(store.ctx, 1, metric.WithAttributeSet(store.resource))
			w.health.failed(key.String(), err)
			if apierrors.IsNotFound(err) {
				w.soon() // the resource, or this version of it, is no longer served
			}
		},
	}
	return slowed(s, w.config.DiscoveryInterval)
}

// onChange has discovery follow the objects that decide what it tells.
func (w *watches) onChange(t target) func() {
	switch t.GroupResource() {
	case schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"},
		schema.GroupResource{Group: "apiregistration.k8s.io", Resource: "apiservices"}:
		return w.soon
	default:
		return nil
	}
}

func (w *watches) stop(key watchKey) {
	r := w.running[key]
	delete(w.running, key)
	w.offered.remove(key)
	r.cancel()
	<-r.done
}

func (w *watches) stopAll() {
	var all sync.WaitGroup
	for _, r := range w.running {
		r.cancel()
		all.Go(func() { <-r.done })
	}
	all.Wait()
	for _, r := range w.running {
		r.table.Clear()
	}
}

// String names a watch in logs and in the status.
func (k watchKey) String() string {
	if k.namespace == metav1.NamespaceAll {
		return k.GroupResource.String()
	}
	return k.GroupResource.String() + " in " + k.namespace
}
