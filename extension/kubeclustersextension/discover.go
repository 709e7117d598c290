// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/klog/v2"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

var errNothing = errors.New("the server serves nothing: is it a Kubernetes API server?")

// discover asks the API server what it serves. When it fails, what was known before stays.
func (c *cluster) discover(ctx context.Context, why trigger) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Discovery.Timeout)
	defer cancel()
	groups, lists, err := c.discovery.ServerGroupsAndResourcesWithContext(quiet(ctx))
	failed, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	switch {
	case ctx.Err() != nil: // of a part that was cut off, each group looks as if it had failed
		err = ctx.Err()
	case partial && len(lists) > 0:
		err = nil
	case err == nil && len(lists) == 0:
		err = errNothing
	}
	if err != nil {
		c.telemetry.refreshed(why, outcomeFailed)
		c.telemetry.failed(operationDiscovery, err)
		if apierrors.IsForbidden(err) {
			err = fmt.Errorf("%w: the account needs the verb get on the non-resource URLs /api, /api/*, /apis and /apis/*, as ClusterRole system:discovery gives it", err)
		}
		return fmt.Errorf("ask what the API server serves: %w", err)
	}
	outcome := outcomeComplete
	if len(failed) > 0 {
		outcome = outcomePartial
		c.logger.Debug("Some API groups could not be discovered; what was known of them is kept", zap.Any("groups", failed))
	}
	c.telemetry.refreshed(why, outcome)
	c.types.Store(apitypes.Discovered(groups, lists, failed, c.types.Load()))
	// Only now: until here its answers were as good as any. It asks again when it is asked.
	c.cached.Invalidate()
	return nil
}

// identify finds out the UID.
func (c *cluster) identify(ctx context.Context) error {
	_, err := c.UID(ctx)
	return err
}

// unreachable returns why there is no use in asking the API server; nil if there may be.
func (c *cluster) unreachable() error {
	state, err := c.connection.current()
	if state != down || apierrors.IsForbidden(err) {
		return nil // one who may not discover may still be allowed to look up
	}
	return fmt.Errorf("the API server did not answer: %w", err)
}

// unavailable returns why the types may not be all there are; nil if they are.
func (c *cluster) unavailable() error {
	switch state, err := c.connection.current(); state {
	case down:
		return fmt.Errorf("%w: %w", kubecluster.ErrUnavailable, err)
	case starting:
		return fmt.Errorf("%w: the API server has not said yet what it serves", kubecluster.ErrUnavailable)
	default:
		return nil
	}
}

// quiet keeps client-go from writing to standard error what it returns anyway.
func quiet(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }
