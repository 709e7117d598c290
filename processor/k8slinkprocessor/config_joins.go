// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"errors"
	"fmt"
	"time"

	"github.com/kelemetry/kelemetry/internal/diffjoin"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/joins"
)

// JoinsConfig is about the diffs that a watch sees, on the audit spans of the requests that made the changes.
type JoinsConfig struct {
	// Enabled puts diffs onto audit spans.
	Enabled bool `mapstructure:"enabled"`

	// MaxAge is for how long a change is remembered after it came, so that the audit span can come later.
	MaxAge time.Duration `mapstructure:"max_age"`

	// MaxSize bounds what is remembered, in bytes. The oldest gives way.
	MaxSize int64 `mapstructure:"max_size"`

	// Tolerance is how far a change may have been observed outside of the time of the request that made it.
	Tolerance time.Duration `mapstructure:"tolerance"`

	// Hold is for how long watch spans wait, from when the change was observed, for audit spans to take their diffs. Those
	// whose diff was taken are then left out. Only batches of nothing but watch spans wait, and their senders with them.
	Hold time.Duration `mapstructure:"hold"`
}

func defaultJoins() JoinsConfig {
	return JoinsConfig{Enabled: true, MaxAge: 5 * time.Minute, MaxSize: 32 << 20, Tolerance: 2 * time.Second}
}

// maxHold is below the time-outs of senders.
const maxHold = 30 * time.Second

func (c *JoinsConfig) validate() error {
	var errs error
	if c.MaxAge <= 0 {
		errs = errors.Join(errs, fmt.Errorf("joins::max_age: must be above 0, got %s; to switch joins off, set joins::enabled to false", c.MaxAge))
	}
	if c.MaxSize < 1 {
		errs = errors.Join(errs, fmt.Errorf("joins::max_size: must be at least 1, got %d", c.MaxSize))
	}
	if c.Tolerance < 0 {
		errs = errors.Join(errs, fmt.Errorf("joins::tolerance: must not be negative, got %s", c.Tolerance))
	}
	if c.Hold < 0 || c.Hold > maxHold {
		errs = errors.Join(errs, fmt.Errorf("joins::hold: must be between 0 and %s, got %s", maxHold, c.Hold))
	}
	if c.Hold > 0 && !c.Enabled {
		errs = errors.Join(errs, errors.New("joins::hold: needs joins::enabled, because without joins there is nothing to wait for"))
	}
	return errs
}

func (c *JoinsConfig) table() *joins.Table {
	if !c.Enabled {
		return nil
	}
	return joins.New(joins.Options{Rule: diffjoin.Rule{Tolerance: c.Tolerance}, MaxSize: c.MaxSize, MaxAge: c.MaxAge})
}
