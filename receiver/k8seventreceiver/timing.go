// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"time"

	"github.com/cenkalti/backoff/v5"
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
