// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"
)

// TracerConfig says where another tracer's spans are, and which are of an entry. Exactly one of GRPC and HTTP is set.
type TracerConfig struct {
	// GRPC is the client of a storage that serves Jaeger's remote storage API v2.
	GRPC configgrpc.ClientConfig `mapstructure:"grpc"`

	// Service is that of the spans, for GRPC.
	Service string `mapstructure:"service"`

	// Tags are what to search for, for GRPC. In a value, the name of an attribute in braces stands for what the entry, or its object, has.
	Tags map[string]string `mapstructure:"tags"`

	// HTTP is the client of a server that answers with spans in OTLP's JSON. Its endpoint is where those of an entry are, with names
	// of attributes in braces, and start_time and end_time.
	HTTP configoptional.Optional[confighttp.ClientConfig] `mapstructure:"http"`

	// Limits bound what is fetched for one view.
	Limits TracerLimits `mapstructure:"limits"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// TracerLimits bound what is fetched for one view.
type TracerLimits struct {
	// Queries is for how many entries spans are looked up, the newest first.
	Queries int `mapstructure:"queries"`

	// Traces is how many traces are taken for one entry.
	Traces int `mapstructure:"traces"`

	// Spans is how many spans are taken.
	Spans int `mapstructure:"spans"`

	// Concurrency is how many queries are under way at a time.
	Concurrency int `mapstructure:"concurrency"`

	// Timeout bounds all queries of a view together.
	Timeout time.Duration `mapstructure:"timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Unmarshal fills what is not set with the defaults. That is not in createDefaultConfig because entries of a map have none.
func (c *TracerConfig) Unmarshal(conf *confmap.Conf) error {
	c.GRPC = configgrpc.NewDefaultClientConfig()
	c.HTTP = configoptional.Default(confighttp.NewDefaultClientConfig())
	c.Limits = TracerLimits{Queries: 100, Traces: 2, Spans: 2000, Concurrency: 8, Timeout: 3 * time.Second}
	return conf.Unmarshal(c)
}

// Validate reports everything that is wrong with the tracer's configuration at once.
func (c *TracerConfig) Validate() error {
	if c.HTTP.HasValue() {
		return c.validateHTTP()
	}
	var errs []error
	if c.GRPC.Endpoint == "" {
		errs = append(errs, errors.New("grpc::endpoint: say where the storage is, such as localhost:17271, or set http"))
	}
	if c.Service == "" {
		errs = append(errs, errors.New("service: say whose spans to look for, such as apiserver"))
	}
	if len(c.Tags) == 0 {
		errs = append(errs, errors.New("tags: say what to look for, such as audit-id: \"{k8s.audit.id}\""))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Tags)) {
		if _, err := tracer.ParseTemplate(c.Tags[key]); err != nil {
			errs = append(errs, fmt.Errorf("tags::%s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

func (c *TracerConfig) validateHTTP() error {
	var errs []error
	if c.GRPC.Endpoint != "" {
		errs = append(errs, errors.New("grpc: set either this or http"))
	}
	if c.Service != "" || len(c.Tags) > 0 {
		errs = append(errs, errors.New("service, tags: are for grpc; put what to look for into http::endpoint"))
	}
	if _, err := tracer.ParseURL(c.HTTP.Get().Endpoint); err != nil {
		errs = append(errs, fmt.Errorf("http::endpoint: %w", err))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the limits at once.
func (c *TracerLimits) Validate() error {
	return errors.Join(
		positive("queries", c.Queries), positive("traces", c.Traces), positive("spans", c.Spans), positive("concurrency", c.Concurrency),
		positive("timeout", c.Timeout),
	)
}
