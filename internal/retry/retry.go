// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package retry is how receivers try again while the pipeline refuses what they have, as the Collector's exporters do.
package retry // import "github.com/kelemetry/kelemetry/internal/retry"

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

// ErrStopped means that the context ended before a try succeeded.
var ErrStopped = errors.New("stopped before it was accepted")

// Do calls try until it returns nil, with the pauses that the configuration asks for; before each pause it calls retrying with the
// error and the length of the pause. The error that it returns is ErrStopped, with that of the last try, if the context ended before
// another one. Any other error is that of the last try, after which there will be none: it is permanent, or the configuration allows no more.
func Do(ctx context.Context, config configretry.BackOffConfig, try func() error, retrying func(err error, pause time.Duration)) error {
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		last = try()
		if consumererror.IsPermanent(last) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(pauses(config)), backoff.WithMaxElapsedTime(config.MaxElapsedTime), backoff.WithNotify(retrying))
	if err != nil && ctx.Err() != nil && !consumererror.IsPermanent(last) {
		return fmt.Errorf("%w: %w", ErrStopped, last)
	}
	return err
}

func pauses(config configretry.BackOffConfig) backoff.BackOff {
	if !config.Enabled {
		return &backoff.StopBackOff{}
	}
	exponential := backoff.NewExponentialBackOff()
	exponential.InitialInterval, exponential.MaxInterval = config.InitialInterval, config.MaxInterval
	exponential.Multiplier, exponential.RandomizationFactor = config.Multiplier, config.RandomizationFactor
	return exponential
}

// Sleep waits, and reports false if the context ended first.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
