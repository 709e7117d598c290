// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// poll asks every 50 ms until the condition holds, or fails, or the context ends.
func poll(ctx context.Context, condition wait.ConditionWithContextFunc) error {
	return wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, condition)
}

// waitLimit bounds each wait of a scenario. Nothing that a healthy cluster does takes as long.
const waitLimit = 2 * time.Minute

var errWaitLimit = fmt.Errorf("still not so after %s", waitLimit)

// awaitObject watches one object until the condition holds, which is called with nil when there is no such object.
func awaitObject[T interface {
	comparable
	runtime.Object
}](ctx context.Context, client rest.Interface, resource, namespace, name string, of T, condition func(T) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, waitLimit, errWaitLimit)
	defer cancel()
	var none T
	lw := cache.NewListWatchFromClient(client, resource, namespace, fields.OneTermEqualSelector("metadata.name", name))
	absent := func(store cache.Store) (bool, error) { return len(store.ListKeys()) == 0 && condition(none), nil }
	_, err := watchtools.UntilWithSync(ctx, lw, of, absent, func(e watch.Event) (bool, error) {
		if e.Type == watch.Deleted {
			return condition(none), nil
		}
		current, ok := e.Object.(T)
		if !ok {
			return false, errors.New("the watch failed")
		}
		return condition(current), nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
