// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package doctorextension // import "github.com/kelemetry/kelemetry/extension/doctorextension"

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
)

// Config is the configuration of the extension.
type Config struct {
	// ServerConfig is where the page is served.
	confighttp.ServerConfig `mapstructure:",squash"`

	// MetricsURL is where this collector's own metrics are, as service::telemetry::metrics has it.
	MetricsURL string `mapstructure:"metrics_url"`

	// Timeout bounds how long it may take to read them.
	Timeout time.Duration `mapstructure:"timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate reports everything that is wrong with the configuration at once.
func (c *Config) Validate() error {
	var errs []error
	if c.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint: must be set"))
	}
	if u, err := url.Parse(c.MetricsURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("metrics_url: must be an http or https URL, got %q", c.MetricsURL))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: must be positive, got %s", c.Timeout))
	}
	return errors.Join(errs...)
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:13135"
	return &Config{ServerConfig: server, MetricsURL: "http://localhost:8888/metrics", Timeout: 5 * time.Second}
}
