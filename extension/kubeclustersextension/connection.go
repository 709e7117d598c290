// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// trigger is why discovery is refreshed, as in the metric.
type trigger string

const (
	triggerStart  trigger = "start"
	triggerTimer  trigger = "timer"
	triggerRetry  trigger = "retry"
	triggerDemand trigger = "demand"
)

type state int

const (
	starting state = iota // the first refresh has not ended
	up
	down
)

// connection asks an API server what it serves: at the start, by a timer, on demand, and again and again while it does not
// answer. run is the one goroutine that does, so that there is never more than one refresh under way.
type connection struct {
	config *DiscoveryConfig
	// discover asks what is served. identify is called when that succeeded.
	discover func(context.Context, trigger) error
	identify func(context.Context) error
	// report is called with how each try ended.
	report func(error)
	wanted chan struct{}

	mu      sync.Mutex // guards what follows
	state   state
	err     error // with down, why
	running bool
	asked   bool
	started time.Time     // of the last refresh
	ended   chan struct{} // closed when the refresh under way ends, or else the next one
}

func newConnection(config *DiscoveryConfig, discover func(context.Context, trigger) error, identify func(context.Context) error, report func(error)) *connection {
	return &connection{
		config: config, discover: discover, identify: identify, report: report,
		wanted: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

// run returns when the context ends.
func (c *connection) run(ctx context.Context) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = c.config.Retry.InitialInterval, c.config.Retry.MaxInterval
	why := triggerStart
	for {
		err := c.try(ctx, why)
		if ctx.Err() != nil {
			return
		}
		c.report(err)
		pause := c.config.RefreshInterval
		why = triggerTimer
		if err != nil {
			pause, why = wait.NextBackOff(), triggerRetry
		} else {
			wait.Reset()
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-c.wanted:
			why = triggerDemand
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// try does what is left to do: when only the identity is missing, discovery need not be tried again with it.
func (c *connection) try(ctx context.Context, why trigger) error {
	if state, _ := c.current(); why != triggerRetry || state != up {
		c.begin()
		err := c.discover(ctx, why)
		c.end(err)
		if err != nil {
			return err
		}
	}
	return c.identify(ctx)
}

func (c *connection) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.asked, c.started = true, false, time.Now()
	select {
	case <-c.wanted: // is met by this one
	default:
	}
}

func (c *connection) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	if c.state, c.err = up, err; err != nil {
		c.state = down
	}
	close(c.ended)
	c.ended = make(chan struct{})
}

func (c *connection) current() (state, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.err
}

// demand asks for a refresh and returns what is closed when it has ended; nil if there will be none, because there was one
// only just now or because the API server does not answer anyway.
func (c *connection) demand() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == down:
		return nil
	case c.state == starting, c.running, c.asked:
		return c.ended
	case time.Since(c.started) < c.config.MinInterval:
		return nil
	}
	c.asked = true
	c.wanted <- struct{}{} // has room: whoever asked before set asked
	return c.ended
}

// renew is demand, and waits.
func (c *connection) renew(ctx context.Context) bool {
	ended := c.demand()
	if ended == nil {
		return false
	}
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}
