// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/config/configretry"
)

// timing bounds how often the API server is asked, and how long things may take. Tests have less patience.
type timing struct {
	// firstPause and longestPause are between requests of a watch that does not hold, or a list that fails.
	firstPause, longestPause time.Duration
	// healthyAfter is how long a watch has to live to be followed by the next one without a pause.
	healthyAfter time.Duration
	// watchTimeout is after which the API server is asked to end a watch; up to twice as long.
	watchTimeout time.Duration
	// batchWait is how long more Events are waited for once there is one.
	batchWait time.Duration
	// lookUp bounds asking for the cluster's UID.
	lookUp time.Duration
}

// The pauses and the timeout are those of client-go's reflector.
var defaultTiming = timing{
	firstPause: 800 * time.Millisecond, longestPause: 30 * time.Second, healthyAfter: time.Minute,
	watchTimeout: 5 * time.Minute, batchWait: 200 * time.Millisecond, lookUp: 10 * time.Second,
}

func (t timing) newPauses() backoff.BackOff {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier, pauses.RandomizationFactor = t.firstPause, t.longestPause, 2, 0.3
	return pauses
}

// newBackOff is for batches that the pipeline refuses.
func newBackOff(config configretry.BackOffConfig) backoff.BackOff {
	exponential := backoff.NewExponentialBackOff()
	exponential.InitialInterval = config.InitialInterval
	exponential.RandomizationFactor = config.RandomizationFactor
	exponential.Multiplier = config.Multiplier
	exponential.MaxInterval = config.MaxInterval
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

// sleep reports false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
