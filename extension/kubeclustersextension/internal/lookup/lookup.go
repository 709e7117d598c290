// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package lookup looks up objects, or their metadata, and asks the API server no more than it must.
package lookup // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/lookup"

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

// ErrTooLarge is the error of Form.Get for an object that is larger than may be kept.
var ErrTooLarge = errors.New("the object is larger than lookups::objects::max_size")

// Result is how a look-up ended, as in the metric.
type Result string

// The results.
const (
	Found     Result = "found"
	NotFound  Result = "not_found"
	Forbidden Result = "forbidden"
	TooLarge  Result = "too_large"
	Limited   Result = "limited"
	Failed    Result = "failed"
)

// Source is where a result is from, as in the metric.
type Source string

// The sources.
const (
	FromOffer  Source = "offer"
	FromCache  Source = "cache"
	FromAPI    Source = "api"
	FromShared Source = "shared"
	FromNone   Source = "none"
)

// Settings configure look-ups.
type Settings struct {
	Timeout          time.Duration
	CacheSize        int64
	TTL, NegativeTTL time.Duration
}

// Form is what is looked up of an object: all of it, or its metadata.
type Form[T any] struct {
	// Get asks the API server. Its error is ErrTooLarge if the object is larger than may be kept.
	Get func(ctx context.Context, resource apitypes.Resource, namespace, name string) (T, error)
	// Known asks who has the object in this process.
	Known func(resource schema.GroupResource, namespace, name string) (T, bool)
	// Copy is for a caller to own. Size estimates the memory.
	Copy func(T) T
	Size func(T) int64
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

// Lookups looks up objects of one cluster. It is safe for concurrent use.
type Lookups[T any] struct {
	form     Form[T]
	settings Settings
	server   Server
	observer Observer
	// run runs a function that may take as long as its context, unless there is no more time for any.
	run func(func(context.Context)) bool

	cache   *cache[T]
	limit   *rate.Limiter
	flights singleflight.Group
}

// New returns look-ups. Others may share the limit. run calls a function with a context that ends when look-ups must, or
// returns false.
func New[T any](
	form Form[T], settings Settings, limit *rate.Limiter, server Server, observer Observer, run func(func(context.Context)) bool,
) *Lookups[T] {
	return &Lookups[T]{
		form: form, settings: settings, server: server, observer: observer, run: run,
		cache: newCache(settings.CacheSize, form.Size), limit: limit,
	}
}

// Usage says what the cache holds.
func (l *Lookups[T]) Usage() Usage { return l.cache.usage() }

// Get returns an object in its form, the caller's own copy. Otherwise its error wraps ErrNotFound or ErrUnavailable of
// package kubecluster.
func (l *Lookups[T]) Get(ctx context.Context, resource schema.GroupResource, namespace, name string) (object T, err error) {
	k := l.key(resource, namespace, name)
	if object, ok := l.known(k); ok {
		return object, nil
	}
	if a, ok := l.cache.get(k, time.Now()); ok {
		return l.give(k, flight[T]{answer: a}, FromCache)
	}
	if !valid(k) {
		return l.give(k, flight[T]{answer: answer[T]{result: NotFound}, err: fmt.Errorf("%q is no name that an object can have", name)}, FromNone)
	}
	return l.shared(ctx, k)
}

// Known is Get with nobody but those who have the object in this process.
func (l *Lookups[T]) Known(resource schema.GroupResource, namespace, name string) (T, bool) {
	return l.known(l.key(resource, namespace, name))
}

func (l *Lookups[T]) known(k key) (T, bool) {
	object, ok := l.form.Known(k.resource, k.namespace, k.name)
	if ok {
		l.observer.LookedUp(Found, FromOffer)
	}
	return object, ok
}

// Fresh asks the API server.
func (l *Lookups[T]) Fresh(ctx context.Context, resource schema.GroupResource, namespace, name string) (object T, err error) {
	return l.shared(ctx, l.key(resource, namespace, name))
}

// key leaves the namespace out where it has no meaning: who asks may only know that of another object.
func (l *Lookups[T]) key(resource schema.GroupResource, namespace, name string) key {
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
type flight[T any] struct {
	answer[T]
	err    error // why, with any result but Found
	source Source
}

// shared asks the API server, together with everybody who asks for the same.
func (l *Lookups[T]) shared(ctx context.Context, k key) (object T, err error) {
	if err := ctx.Err(); err != nil {
		return l.give(k, flight[T]{answer: answer[T]{result: Failed}, err: err}, FromNone)
	}
	own := false
	landed := l.flights.DoChan(k.String(), func() (any, error) {
		own = true
		f := flight[T]{answer: answer[T]{result: Failed}, err: errStopped, source: FromNone}
		l.run(func(ctx context.Context) { f = l.fly(ctx, k) })
		return f, nil
	})
	select {
	case <-ctx.Done():
		// The others still wait for it, and the cache takes it.
		return l.give(k, flight[T]{answer: answer[T]{result: Failed}, err: context.Cause(ctx)}, FromNone)
	case r := <-landed:
		f := r.Val.(flight[T])
		if !own && f.source == FromAPI {
			f.source = FromShared
		}
		return l.give(k, f, f.source)
	}
}

// fly makes one request, if it may.
func (l *Lookups[T]) fly(ctx context.Context, k key) flight[T] {
	if err := l.server.Down(); err != nil {
		return flight[T]{answer[T]{result: Failed}, err, FromNone}
	}
	if !l.limit.Allow() {
		return flight[T]{answer[T]{result: Limited}, errLimited, FromNone}
	}
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	a, err := l.ask(ctx, k)
	switch a.result {
	case Found:
		l.cache.put(k, a, time.Now().Add(l.settings.TTL))
	case NotFound, Forbidden, TooLarge:
		l.cache.put(k, a, time.Now().Add(l.settings.NegativeTTL))
	}
	return flight[T]{a, err, FromAPI}
}

// give returns what the caller gets, and counts it.
func (l *Lookups[T]) give(k key, f flight[T], source Source) (object T, err error) {
	l.observer.LookedUp(f.result, source)
	switch f.result {
	case Found:
		return l.form.Copy(f.object), nil
	case NotFound:
		return object, k.failure(kubecluster.ErrNotFound, f.err)
	case Forbidden:
		return object, k.failure(kubecluster.ErrUnavailable, fmt.Errorf("forbidden: the account needs the verb get on %s", k.resource))
	case TooLarge:
		return object, k.failure(kubecluster.ErrUnavailable, ErrTooLarge)
	default:
		return object, k.failure(kubecluster.ErrUnavailable, f.err)
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
