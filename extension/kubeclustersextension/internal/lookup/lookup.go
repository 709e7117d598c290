// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package lookup looks up the metadata of objects, and asks the API server no more than it must.
package lookup // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/lookup"

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

// Result is how a look-up ended, as in the metric.
type Result string

// The results.
const (
	Found     Result = "found"
	NotFound  Result = "not_found"
	Forbidden Result = "forbidden"
	Limited   Result = "limited"
	Failed    Result = "failed"
)

// Source is where a result is from, as in the metric.
type Source string

// The sources.
const (
	FromCache  Source = "cache"
	FromAPI    Source = "api"
	FromShared Source = "shared"
	FromNone   Source = "none"
)

// Settings configure look-ups.
type Settings struct {
	Timeout          time.Duration
	QPS              float64
	Burst            int
	CacheSize        int64
	TTL, NegativeTTL time.Duration
}

// Observer is told what happens.
type Observer interface {
	// LookedUp is called once for each look-up.
	LookedUp(Result, Source)
	// Asked is called after each request to the API server, with its error.
	Asked(time.Duration, error)
	// Denied is called when the account may not read a resource.
	Denied(schema.GroupResource, error)
}

// Lookups looks up the metadata of objects of one cluster. It is safe for concurrent use.
type Lookups struct {
	settings Settings
	server   Server
	observer Observer
	// run runs a function that may take as long as its context, unless there is no more time for any.
	run func(func(context.Context)) bool

	cache   *cache
	limit   *rate.Limiter
	flights singleflight.Group
}

// New returns look-ups. run calls a function with a context that ends when look-ups must, or returns false.
func New(settings Settings, server Server, observer Observer, run func(func(context.Context)) bool) *Lookups {
	return &Lookups{
		settings: settings, server: server, observer: observer, run: run,
		cache: newCache(settings.CacheSize),
		limit: rate.NewLimiter(rate.Limit(settings.QPS), settings.Burst),
	}
}

// Usage says what the cache holds.
func (l *Lookups) Usage() Usage { return l.cache.usage() }

// Get returns the metadata of an object: the caller's own copy, without managed fields and the last applied configuration.
// Otherwise its error wraps ErrNotFound or ErrUnavailable of package kubecluster.
func (l *Lookups) Get(ctx context.Context, resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	k := l.key(resource, namespace, name)
	if a, ok := l.cache.get(k, time.Now()); ok {
		return l.give(k, flight{answer: a}, FromCache)
	}
	if !valid(k) {
		return l.give(k, flight{answer: answer{result: NotFound}, err: fmt.Errorf("%q is no name that an object can have", name)}, FromNone)
	}
	return l.shared(ctx, k)
}

// Fresh is Get past the cache.
func (l *Lookups) Fresh(ctx context.Context, resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	return l.shared(ctx, l.key(resource, namespace, name))
}

// key leaves the namespace out where it has no meaning: who asks may only know that of another object.
func (l *Lookups) key(resource schema.GroupResource, namespace, name string) key {
	if r, ok := l.server.Resource(resource); ok && !r.Namespaced {
		namespace = ""
	}
	return key{resource, namespace, name}
}

// valid says whether a path can be made of the key: names come from the audit log, and one like "../x" would lead elsewhere.
func valid(k key) bool {
	return k.name != "" && len(content.IsPathSegmentName(k.name)) == 0 && len(content.IsPathSegmentName(k.namespace)) == 0
}

// flight is what everybody gets who waits for the same request.
type flight struct {
	answer
	err    error // why, with any result but Found
	source Source
}

// shared asks the API server, together with everybody who asks for the same.
func (l *Lookups) shared(ctx context.Context, k key) (*metav1.PartialObjectMetadata, error) {
	if err := ctx.Err(); err != nil {
		return l.give(k, flight{answer: answer{result: Failed}, err: err}, FromNone)
	}
	own := false
	landed := l.flights.DoChan(k.String(), func() (any, error) {
		own = true
		f := flight{answer: answer{result: Failed}, err: errStopped, source: FromNone}
		l.run(func(ctx context.Context) { f = l.fly(ctx, k) })
		return f, nil
	})
	select {
	case <-ctx.Done():
		// The others still wait for it, and the cache takes it.
		return l.give(k, flight{answer: answer{result: Failed}, err: context.Cause(ctx)}, FromNone)
	case r := <-landed:
		f := r.Val.(flight)
		if !own && f.source == FromAPI {
			f.source = FromShared
		}
		return l.give(k, f, f.source)
	}
}

// fly makes one request, if it may.
func (l *Lookups) fly(ctx context.Context, k key) flight {
	if err := l.server.Down(); err != nil {
		return flight{answer{result: Failed}, err, FromNone}
	}
	if !l.limit.Allow() {
		return flight{answer{result: Limited}, errLimited, FromNone}
	}
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	a, err := l.ask(ctx, k)
	switch a.result {
	case Found:
		l.cache.put(k, a, time.Now().Add(l.settings.TTL))
	case NotFound, Forbidden:
		l.cache.put(k, a, time.Now().Add(l.settings.NegativeTTL))
	}
	return flight{a, err, FromAPI}
}

// give returns what the caller gets, and counts it.
func (l *Lookups) give(k key, f flight, source Source) (*metav1.PartialObjectMetadata, error) {
	l.observer.LookedUp(f.result, source)
	switch f.result {
	case Found:
		return f.object.DeepCopy(), nil
	case NotFound:
		return nil, k.failure(kubecluster.ErrNotFound, f.err)
	case Forbidden:
		return nil, k.failure(kubecluster.ErrUnavailable, fmt.Errorf("forbidden: the account needs the verb get on %s", k.resource))
	default:
		return nil, k.failure(kubecluster.ErrUnavailable, f.err)
	}
}

func (k key) failure(kind, cause error) error {
	object := strings.TrimPrefix(k.namespace+"/"+k.name, "/")
	if cause == nil {
		return fmt.Errorf("look up %s %s: %w", k.resource, object, kind)
	}
	return fmt.Errorf("look up %s %s: %w: %w", k.resource, object, kind, cause)
}

// String is different for different objects: neither a name nor a namespace can hold the separator.
func (k key) String() string {
	return strings.Join([]string{k.resource.Group, k.resource.Resource, k.namespace, k.name}, "/")
}
