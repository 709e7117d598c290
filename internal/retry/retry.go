// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package retry is how receivers wait while the pipeline refuses what they have, as the Collector's exporters do.
package retry // import "github.com/kelemetry/kelemetry/internal/retry"

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/config/configretry"
)

// NewBackOff returns the pauses that the configuration asks for, and then backoff.Stop: when their sum would exceed MaxElapsedTime, unless that is
// 0, or at once when retrying is not enabled.
func NewBackOff(config configretry.BackOffConfig) backoff.BackOff {
	if !config.Enabled {
		return &backoff.StopBackOff{}
	}
	exponential := backoff.NewExponentialBackOff()
	exponential.InitialInterval, exponential.MaxInterval = config.InitialInterval, config.MaxInterval
	exponential.Multiplier, exponential.RandomizationFactor = config.Multiplier, config.RandomizationFactor
	return &bounded{BackOff: exponential, left: config.MaxElapsedTime, bounded: config.MaxElapsedTime > 0}
}

// bounded ends after the sum of its delays.
type bounded struct {
	backoff.BackOff
	left    time.Duration
	bounded bool
}

// NextBackOff returns the next delay, or Stop.
func (b *bounded) NextBackOff() time.Duration {
	delay := b.BackOff.NextBackOff()
	if b.left -= delay; b.bounded && b.left < 0 {
		return backoff.Stop
	}
	return delay
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
