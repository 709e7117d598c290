// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
)

// condition makes the extension's status of how the storage answers. run is the one goroutine that reports it, so that
// reports come in order.
type condition struct {
	host    component.Host
	logger  *zap.Logger
	answers chan error
	probe   func(context.Context) error
}

// heard says how the storage has answered. It never waits: what is lost, the next answer says again.
func (c *condition) heard(err error) {
	outcome := plugin.OutcomeOf(err)
	switch {
	case outcome == plugin.OutcomeCanceled:
		return
	case isAnswer(outcome):
		err = nil
	}
	select {
	case c.answers <- err:
	default:
	}
}

// run asks the storage until it answers for the first time, and again whenever it has failed. It returns when the context ends.
func (c *condition) run(ctx context.Context) {
	intervals := backoff.NewExponentialBackOff()
	intervals.MaxInterval = probeInterval
	failed, first := false, true
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case err = <-c.answers:
		case <-timer.C:
			err = c.ask(ctx)
			if ctx.Err() != nil {
				return
			}
		}
		switch {
		case err == nil:
			if failed || first {
				c.logger.Info("The storage answers")
				componentstatus.ReportStatus(c.host, componentstatus.NewEvent(componentstatus.StatusOK))
			}
			failed, first = false, false
			intervals.Reset()
			timer.Stop()
		default:
			if !failed {
				c.logger.Warn("The storage does not answer as it should; trying again", zap.Error(err))
				componentstatus.ReportStatus(c.host, componentstatus.NewRecoverableErrorEvent(errors.New("the storage: "+collect.Reason(err))))
			}
			failed = true
			timer.Reset(intervals.NextBackOff())
		}
	}
}

const (
	probeInterval = 30 * time.Second
	probeTimeout  = 10 * time.Second
)

func (c *condition) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return c.probe(ctx)
}
