// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
)

// auditlogReceiver is the lifecycle of the receiver. The collector starts and stops it once per pipeline that uses it;
// the first call of each counts.
type auditlogReceiver struct {
	config *Config
	set    receiver.Settings
	forget func()

	// traces and logs are set before Start.
	traces consumer.Traces
	logs   consumer.Logs

	start, stop       sync.Once
	startErr, stopErr error

	telemetry *metadata.TelemetryBuilder
	webhook   *webhook
	files     *files
}

// Start opens port and files. After an error nothing is open.
func (r *auditlogReceiver) Start(ctx context.Context, host component.Host) error {
	r.start.Do(func() {
		if r.startErr = r.open(ctx, host); r.startErr != nil {
			r.startErr = errors.Join(r.startErr, r.close(ctx))
		}
	})
	return r.startErr
}

// Shutdown stops taking events, and waits for those that were taken until ctx ends.
func (r *auditlogReceiver) Shutdown(ctx context.Context) error {
	r.stop.Do(func() {
		r.forget()
		r.stopErr = r.close(ctx)
	})
	return r.stopErr
}

func (r *auditlogReceiver) open(ctx context.Context, host component.Host) (err error) {
	if r.telemetry, err = metadata.NewTelemetryBuilder(r.set.TelemetrySettings); err != nil {
		return err
	}
	if r.config.Webhook.HasValue() {
		ingester, err := r.newIngester(transportWebhook)
		if err != nil {
			return err
		}
		if r.webhook, err = startWebhook(ctx, r.config.Webhook.Get(), host, r.set.TelemetrySettings, ingester); err != nil {
			return err
		}
	}
	if r.config.Files.HasValue() {
		ingester, err := r.newIngester(transportFile)
		if err != nil {
			return err
		}
		if r.files, err = startFiles(ctx, r.config.Files.Get(), host, r.set, r.config.Storage, ingester); err != nil {
			return err
		}
	}
	return nil
}

func (r *auditlogReceiver) newIngester(by transport) (*ingester, error) {
	return newIngester(r.config, by, r.set, r.telemetry, r.traces, r.logs)
}

func (r *auditlogReceiver) close(ctx context.Context) error {
	var errs []error
	if r.webhook != nil {
		errs = append(errs, r.webhook.shutdown(ctx))
	}
	if r.files != nil {
		errs = append(errs, r.files.shutdown(ctx))
	}
	if r.telemetry != nil {
		r.telemetry.Shutdown()
	}
	return errors.Join(errs...)
}
