// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
)

// NewFactory creates the factory of the auditlog receiver.
func NewFactory() receiver.Factory {
	shared := &receivers{byConfig: make(map[*Config]*auditlogReceiver)}
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithTraces(shared.createTraces, metadata.TracesStability),
		receiver.WithLogs(shared.createLogs, metadata.LogsStability),
	)
}

// receivers gives the traces and the logs pipeline of one configuration the same receiver, because there is one port
// to listen on and one offset per file.
type receivers struct {
	mu       sync.Mutex // guards byConfig
	byConfig map[*Config]*auditlogReceiver
}

func (rs *receivers) createTraces(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces,
) (receiver.Traces, error) {
	r := rs.get(set, cfg.(*Config))
	r.traces = next
	return r, nil
}

func (rs *receivers) createLogs(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs,
) (receiver.Logs, error) {
	r := rs.get(set, cfg.(*Config))
	r.logs = next
	return r, nil
}

func (rs *receivers) get(set receiver.Settings, config *Config) *auditlogReceiver {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r, ok := rs.byConfig[config]
	if !ok {
		r = &auditlogReceiver{config: config, set: set, forget: func() { rs.forget(config) }}
		rs.byConfig[config] = r
	}
	return r
}

func (rs *receivers) forget(config *Config) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.byConfig, config)
}
