// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"errors"
	"fmt"
	"time"

	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/folding"
)

// FoldConfig configures how endless loops of controllers are folded.
type FoldConfig struct {
	// Enabled folds like spans at all.
	Enabled bool `mapstructure:"enabled"`

	// Threshold is how many like spans an object may have in a window: of the same type and actor, and with the same verb
	// and subresource, or reason. Those beyond it become one span.
	Threshold int `mapstructure:"threshold"`

	// MaxTraceSpans is how many spans a trace may have. Like spans beyond it are folded, whatever Threshold.
	MaxTraceSpans int `mapstructure:"max_trace_spans"`

	// MaxTracked bounds how many sets of like spans are counted. Those not added to for longest give way.
	MaxTracked int `mapstructure:"max_tracked"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func defaultFold() FoldConfig {
	return FoldConfig{Enabled: true, Threshold: 500, MaxTraceSpans: 5000, MaxTracked: 20_000}
}

func (c *FoldConfig) validate() error {
	var errs error
	for key, n := range map[string]int{"threshold": c.Threshold, "max_trace_spans": c.MaxTraceSpans, "max_tracked": c.MaxTracked} {
		if n < 1 {
			errs = errors.Join(errs, fmt.Errorf("fold::%s: must be at least 1, got %d", key, n))
		}
	}
	return errs
}

func (c *Config) foldTable() (*folding.Table, error) {
	if !c.Fold.Enabled {
		return nil, nil
	}
	return folding.NewTable(folding.Settings{
		Threshold: c.Fold.Threshold, MaxTraceSpans: c.Fold.MaxTraceSpans, MaxObjects: c.MaxObjects, MaxFolds: c.Fold.MaxTracked,
	}, time.Now)
}
