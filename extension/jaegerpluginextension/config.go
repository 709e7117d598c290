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

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
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
