// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package plugin // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errBusy is what a request ends with that has waited for others all of its time.
var errBusy = errors.New("too many requests are being worked on")

// request is one that is worked on. It has a slot while it reads and makes views, and gives it back while its client takes them: one
// that takes them slowly keeps nobody else from being worked for. What is being taken has a bound of its own, Plugin.Sending, so
// that all of this is bounded, and with it the memory.
type request struct {
	*Plugin
	// Context bounds the work. It does not end the taking.
	context.Context

	caller  context.Context
	cancel  context.CancelFunc
	kind    Kind
	start   time.Time
	working bool // it has a slot
}

// begin waits until there is room for a request, and bounds it. The request has to be ended.
func (p *Plugin) begin(ctx context.Context, kind Kind) (*request, error) {
	r := &request{Plugin: p, caller: ctx, kind: kind, start: time.Now()}
	r.Context, r.cancel = context.WithTimeout(ctx, p.Timeout)
	if err := r.work(); err != nil {
		r.end(err)
		return nil, err
	}
	return r, nil
}

// work waits for a slot, if the request has none. It fails when there is no time left to work.
func (r *request) work() error {
	switch {
	case r.Err() != nil:
		return r.Err()
	case r.working:
		return nil
	}
	if err := acquire(r, r.Slots); err != nil {
		return err
	}
	r.working = true
	return nil
}

// send gives the slot back while the client takes something. The error is why there was no room for that.
func (r *request) send(take func()) error {
	// With the slot, so that what waits here is bounded as well.
	if err := acquire(r, r.Sending); err != nil {
		return err
	}
	defer func() { <-r.Sending }()
	r.rest()
	take()
	return nil
}

func (r *request) rest() {
	if r.working {
		r.working = false
		<-r.Slots
	}
}

// end gives back what the request has, and tells how it ended.
func (r *request) end(err error) {
	r.rest()
	r.cancel()
	r.Observe(r.caller, r.kind, OutcomeOf(err), time.Since(r.start))
}

// acquire takes a slot that is free, whatever the context says, and else waits for one.
func acquire(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errBusy, ctx.Err())
	}
}
