// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// Config is the configuration of the extension.
type Config struct {
	// GRPC is the server that Jaeger asks: the remote storage of jaeger_storage.
	GRPC configgrpc.ServerConfig `mapstructure:"grpc"`

	// HTTP serves redirects to Jaeger's page, and views as JSON or text. It is off unless it is set.
	HTTP configoptional.Optional[HTTPConfig] `mapstructure:"http"`

	// Backend is the storage that has the raw traces.
	Backend BackendConfig `mapstructure:"backend"`

	// Clusters are the services of the storage that are clusters. Without any, all services are.
	Clusters []string `mapstructure:"clusters"`

	// Window is the length of the slices of time that stored traces are cut into. It must be the same in every component
	// that assigns trace IDs.
	Window time.Duration `mapstructure:"window"`

	// Display modes and modifiers.
	mode.Config `mapstructure:",squash"`

	// Tracers are the storages of other tracers by name, for modifiers that show their spans.
	Tracers map[string]TracerConfig `mapstructure:"tracers"`

	// Search bounds what a search reads and returns.
	Search SearchConfig `mapstructure:"search"`

	// Limits bound what is read and shown.
	Limits LimitsConfig `mapstructure:"limits"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// HTTPConfig configures the HTTP server.
type HTTPConfig struct {
	confighttp.ServerConfig `mapstructure:",squash"`

	// JaegerURL is the address of Jaeger's page, which redirects lead to.
	JaegerURL string `mapstructure:"jaeger_url"`

	// Range is the length of the time range of requests that give none.
	Range time.Duration `mapstructure:"range"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// BackendConfig says where raw traces are. Exactly one of GRPC and Extension is set.
type BackendConfig struct {
	// GRPC is the client of any storage that serves Jaeger's remote storage API v2.
	GRPC configoptional.Optional[configgrpc.ClientConfig] `mapstructure:"grpc"`

	// Extension is the ID of an extension in the same process that has traces, such as trace_store.
	Extension *component.ID `mapstructure:"extension"`

	// MaxRecvMsgSizeMiB is the size of the largest message taken from GRPC. Some storages send a trace as one message.
	MaxRecvMsgSizeMiB int `mapstructure:"max_recv_msg_size_mib"`

	// prevent unkeyed literal initialization
	_ struct{}
}

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

var _ component.Config = (*Config)(nil)

// Validate reports everything that is wrong with the configuration at once.
func (c *Config) Validate() error {
	var errs []error
	if c.GRPC.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("grpc::endpoint: say where Jaeger reaches this, such as localhost:17271"))
	}
	for i, cluster := range c.Clusters {
		if err := identity.ValidateCluster(cluster); err != nil {
			errs = append(errs, fmt.Errorf("clusters::%d: %w", i, err))
		}
	}
	if err := identity.Window(c.Window).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("window: %w", err))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Modifiers)) {
		for _, wanted := range c.Modifiers[name].Tracers {
			if _, ok := c.Tracers[wanted]; !ok {
				errs = append(errs, fmt.Errorf("modifiers::%s::tracers: there is no %q below tracers", name, wanted))
			}
		}
	}
	return errors.Join(append(errs, c.Config.Validate())...)
}

// Validate reports everything that is wrong with the server's configuration at once.
func (c *HTTPConfig) Validate() error {
	var errs []error
	if u, err := url.Parse(c.JaegerURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		errs = append(errs, fmt.Errorf("jaeger_url: must be the address of Jaeger's page, such as http://localhost:16686, got %q", c.JaegerURL))
	}
	if c.Range <= 0 || c.Range > identity.MaxDisplayRange-2*identity.DisplayUnit {
		errs = append(errs, fmt.Errorf("range: must be positive and at most %s, got %s", identity.MaxDisplayRange-2*identity.DisplayUnit, c.Range))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the backend's configuration at once.
func (c *BackendConfig) Validate() error {
	var errs []error
	if c.GRPC.HasValue() == (c.Extension != nil) {
		errs = append(errs, errors.New("set one of grpc, the storage that has the raw traces, and extension, an extension in this process that has them"))
	}
	if c.GRPC.HasValue() && c.GRPC.Get().Endpoint == "" {
		errs = append(errs, errors.New("grpc::endpoint: say where the storage is, such as localhost:17271"))
	}
	return errors.Join(append(errs, positive("max_recv_msg_size_mib", c.MaxRecvMsgSizeMiB))...)
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

func createDefaultConfig() component.Config {
	server := configgrpc.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:17271"
	web := confighttp.NewDefaultServerConfig()
	web.NetAddr.Endpoint = "localhost:8081"
	return &Config{
		GRPC:    server,
		HTTP:    configoptional.Default(HTTPConfig{ServerConfig: web, JaegerURL: "http://localhost:16686", Range: time.Hour}),
		Backend: BackendConfig{GRPC: configoptional.Default(configgrpc.NewDefaultClientConfig()), MaxRecvMsgSizeMiB: 64},
		Window:  time.Duration(identity.DefaultWindow),
		Config:  mode.DefaultConfig(),
		Search:  SearchConfig{Lookback: time.Hour, MaxTraces: 500, MaxResults: 100},
		Limits: LimitsConfig{
			Requests: 8, Timeout: 9 * time.Second, Sending: 32, SendTimeout: 30 * time.Second, Concurrency: 4, Traces: 200, Spans: 50_000, Lookups: 50,
			Objects: 1000, Linked: 50, Entries: 10_000,
		},
	}
}
