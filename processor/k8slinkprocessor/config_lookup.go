// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
)

// LookupConfig configures how owners are looked up that no span has told.
type LookupConfig struct {
	// Clusters is the ID of a kube_clusters extension. It is asked for the clusters that objects are in, by name.
	Clusters component.ID `mapstructure:"clusters"`

	// Timeout is how long a batch may wait for all its look-ups together.
	Timeout time.Duration `mapstructure:"timeout"`

	// MaxConcurrent is how many look-ups may be under way at the same time, for all batches.
	MaxConcurrent int `mapstructure:"max_concurrent"`

	// NegativeTTL is how long an object is not asked for again after it was not found.
	NegativeTTL time.Duration `mapstructure:"negative_ttl"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func defaultLookup() LookupConfig {
	return LookupConfig{
		Clusters: component.MustNewID("kube_clusters"), Timeout: 500 * time.Millisecond, MaxConcurrent: 16, NegativeTTL: 30 * time.Second,
	}
}

// maxMaxConcurrent bounds the goroutines that look-ups take.
const maxMaxConcurrent = 1000

// Validate reports everything that is wrong with the look-ups at once.
func (c *LookupConfig) Validate() error {
	var errs error
	if c.Timeout <= 0 || c.Timeout > time.Minute {
		errs = errors.Join(errs, fmt.Errorf("timeout: must be over 0 and at most 1m, got %s", c.Timeout))
	}
	if c.MaxConcurrent < 1 || c.MaxConcurrent > maxMaxConcurrent {
		errs = errors.Join(errs, fmt.Errorf("max_concurrent: must be between 1 and %d, got %d", maxMaxConcurrent, c.MaxConcurrent))
	}
	if c.NegativeTTL <= 0 {
		errs = errors.Join(errs, fmt.Errorf("negative_ttl: must be positive, got %s", c.NegativeTTL))
	}
	return errs
}
