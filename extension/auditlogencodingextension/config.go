// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogencodingextension // import "github.com/kelemetry/kelemetry/extension/auditlogencodingextension"

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/kelemetry/kelemetry/internal/auditlog"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// Config is the configuration of the extension.
type Config struct {
	// Cluster is the name of the cluster that the events are of. It is required, because events do not tell.
	Cluster string `mapstructure:"cluster"`

	// Window is the length of the slices of time that traces are cut into. It must be the same in every component
	// that assigns trace IDs.
	Window time.Duration `mapstructure:"window"`

	// Filter decides which events become spans. It does not apply to logs, which get every event.
	Filter auditlog.FilterConfig `mapstructure:"filter"`

	// Snapshots configures the copies of whole objects that are kept when one is created or deleted.
	Snapshots auditlog.SnapshotConfig `mapstructure:"snapshots"`

	// MaxEventSize is the size of an event's JSON, in bytes, beyond which its bodies are left out. The event is kept.
	MaxEventSize int `mapstructure:"max_event_size"`

	// Redaction decides what is secret. The default is safe.
	Redaction redact.Config `mapstructure:"redaction"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate reports everything that is wrong with the configuration at once.
func (c *Config) Validate() error {
	err := c.conversion().Validate()
	if invalid := identity.ValidateCluster(c.Cluster); invalid != nil {
		err = errors.Join(fmt.Errorf("cluster: %w", invalid), err)
	}
	return err
}

// conversion is what becomes of the events.
func (c *Config) conversion() auditlog.Config {
	return auditlog.Config{
		Window: c.Window, Filter: c.Filter, Snapshots: c.Snapshots, MaxEventSize: c.MaxEventSize, Redaction: c.Redaction,
	}
}

func createDefaultConfig() component.Config {
	conversion := auditlog.NewDefaultConfig()
	return &Config{
		Window:       conversion.Window,
		Filter:       conversion.Filter,
		Snapshots:    conversion.Snapshots,
		MaxEventSize: conversion.MaxEventSize,
		Redaction:    conversion.Redaction,
	}
}
