// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"errors"
	"fmt"
	"time"
)

// SearchConfig bounds searches.
type SearchConfig struct {
	// Lookback is how far back to search where the query has no start.
	Lookback time.Duration `mapstructure:"lookback"`

	// MaxTraces is how many stored traces of a cluster are searched. The storage may refuse to return as many.
	MaxTraces int `mapstructure:"max_traces"`

	// MaxResults is how many objects are returned at most, whatever the query's limit.
	MaxResults int `mapstructure:"max_results"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// LimitsConfig bounds views. What is beyond a limit is left out, with a warning in the result.
type LimitsConfig struct {
	// Requests is how many requests are worked on at a time. Further ones wait.
	Requests int `mapstructure:"requests"`

	// Timeout bounds the work on a request. Jaeger's page gives up after 10 s.
	Timeout time.Duration `mapstructure:"timeout"`

	// Sending is how many requests have results at a time that are being sent. Further ones wait.
	Sending int `mapstructure:"sending"`

	// SendTimeout is how long a client of the gRPC server may take for one message.
	SendTimeout time.Duration `mapstructure:"send_timeout"`

	// Concurrency is how many queries one request has under way in the storage at a time.
	Concurrency int `mapstructure:"concurrency"`

	// Traces is how many stored traces of one object, which are one for each window and fragment, are read.
	Traces int `mapstructure:"traces"`

	// Spans is how many stored spans are read for one request.
	Spans int `mapstructure:"spans"`

	// Lookups is how many owners and linked objects of a view are looked up in the storage.
	Lookups int `mapstructure:"lookups"`

	// Objects is how many objects a view shows.
	Objects int `mapstructure:"objects"`

	// Linked is how many of them are shown because of a link.
	Linked int `mapstructure:"linked"`

	// Entries is how many log entries a view shows. The newest of each object stay.
	Entries int `mapstructure:"entries"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate reports everything that is wrong with the search's configuration at once.
func (c *SearchConfig) Validate() error {
	return errors.Join(positive("lookback", c.Lookback), positive("max_traces", c.MaxTraces), positive("max_results", c.MaxResults))
}

// Validate reports everything that is wrong with the limits at once.
func (c *LimitsConfig) Validate() error {
	return errors.Join(
		positive("requests", c.Requests), positive("timeout", c.Timeout), positive("sending", c.Sending),
		positive("send_timeout", c.SendTimeout), positive("concurrency", c.Concurrency),
		positive("traces", c.Traces), positive("spans", c.Spans), notNegative("lookups", c.Lookups),
		positive("objects", c.Objects), notNegative("linked", c.Linked), positive("entries", c.Entries),
	)
}

func positive[T int | time.Duration](key string, value T) error {
	if value <= 0 {
		return fmt.Errorf("%s: must be positive, got %v", key, value)
	}
	return nil
}

func notNegative(key string, value int) error {
	if value < 0 {
		return fmt.Errorf("%s: must not be negative, got %d", key, value)
	}
	return nil
}
