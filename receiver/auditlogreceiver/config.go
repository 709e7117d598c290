// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"

	"github.com/kelemetry/kelemetry/internal/auditlog"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// Config is the configuration of the receiver. At least one of Webhook and Files must be set.
type Config struct {
	// Webhook serves the API server's audit webhook back end.
	Webhook configoptional.Optional[WebhookConfig] `mapstructure:"webhook"`

	// Files reads audit log files.
	Files configoptional.Optional[FilesConfig] `mapstructure:"files"`

	// Storage is the storage extension that keeps how far each file has been read. Without it, files are read from
	// the configured start again after a restart.
	Storage *component.ID `mapstructure:"storage"`

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

// WebhookConfig configures the server for audit webhooks.
type WebhookConfig struct {
	confighttp.ServerConfig `mapstructure:",squash"`

	// Path is where batches are posted: PATH/<cluster>, or PATH when Cluster or Peers tell the cluster.
	Path string `mapstructure:"path"`

	// Cluster is the name of the cluster that posts to Path alone, unless one of Peers matches.
	Cluster string `mapstructure:"cluster"`

	// Peers tell clusters apart by who posts. The first match counts. A peer that matches may post for its cluster only.
	Peers []PeerConfig `mapstructure:"peers"`

	// Timeout bounds how long a request may take until it is answered with 503. It should stay below the 30 s
	// after which API servers give up on their side.
	Timeout time.Duration `mapstructure:"timeout"`

	// MaxInFlightBytes bounds the sum of the sizes of all bodies that are being read or handed on. Requests beyond it
	// are answered with 429.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// PeerConfig names the cluster of a peer. Address and Identity must both match where both are set.
type PeerConfig struct {
	// Address is the peer's IP address or CIDR prefix.
	Address string `mapstructure:"address"`

	// Identity is the common name of the peer's client certificate, or the user name that the authenticator found.
	Identity string `mapstructure:"identity"`

	// Cluster is the name of the peer's cluster.
	Cluster string `mapstructure:"cluster"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// FilesConfig configures the reading of audit log files.
type FilesConfig struct {
	fileconsumer.Config `mapstructure:",squash"`

	// Cluster is the name of the cluster that wrote the files.
	Cluster string `mapstructure:"cluster"`

	// Retry configures how a batch that the pipeline refuses is tried again. Reading waits meanwhile.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// conversion is what becomes of the events.
func (c *Config) conversion() auditlog.Config {
	return auditlog.Config{
		Window: c.Window, Filter: c.Filter, Snapshots: c.Snapshots, MaxEventSize: c.MaxEventSize, Redaction: c.Redaction,
	}
}

var _ component.Config = (*Config)(nil)

// Validate reports everything that is wrong with the configuration at once.
func (c *Config) Validate() error {
	var errs []error
	if !c.Webhook.HasValue() && !c.Files.HasValue() {
		errs = append(errs, errors.New("set webhook, files, or both"))
	}
	errs = append(errs, c.conversion().Validate())
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the webhook's configuration at once.
func (c *WebhookConfig) Validate() error {
	var errs []error
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "{}") {
		errs = append(errs, fmt.Errorf("path: must start with / and have no braces, got %q", c.Path))
	}
	if c.Cluster != "" {
		errs = append(errs, validateCluster("cluster", c.Cluster))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: must be positive, got %s", c.Timeout))
	}
	if c.MaxInFlightBytes < c.MaxRequestBodySize {
		errs = append(errs, fmt.Errorf("max_in_flight_bytes: must be at least max_request_body_size (%d), got %d",
			c.MaxRequestBodySize, c.MaxInFlightBytes))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the peer at once.
func (c *PeerConfig) Validate() error {
	var errs []error
	if c.Address == "" && c.Identity == "" {
		errs = append(errs, errors.New("set address, identity, or both"))
	}
	if c.Address != "" {
		if _, err := parsePrefix(c.Address); err != nil {
			errs = append(errs, fmt.Errorf("address: must be an IP address or a CIDR prefix, got %q", c.Address))
		}
	}
	errs = append(errs, validateCluster("cluster", c.Cluster))
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the files' configuration at once.
func (c *FilesConfig) Validate() error {
	var errs []error
	if len(c.Include) == 0 {
		errs = append(errs, errors.New("include: name at least one file or pattern"))
	}
	errs = append(errs, validateCluster("cluster", c.Cluster), c.Retry.Validate())
	return errors.Join(errs...)
}

func validateCluster(key, name string) error {
	if err := identity.ValidateCluster(name); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

const (
	mebibyte = 1 << 20

	// An honest batch has up to 400 events and no cap on its size; this is 160 KiB an event.
	defaultMaxRequestBodySize = 64 * mebibyte
	defaultMaxInFlightBytes   = 128 * mebibyte
	// API servers give up after 30 s.
	defaultTimeout = 25 * time.Second
	// etcd refuses objects of more than 1.5 MiB; an event can hold one twice, escaped.
	defaultMaxLineSize = 16 * mebibyte
)

func createDefaultConfig() component.Config {
	conversion := auditlog.NewDefaultConfig()
	return &Config{
		Webhook:      configoptional.Default(defaultWebhookConfig()),
		Files:        configoptional.Default(defaultFilesConfig()),
		Window:       conversion.Window,
		Filter:       conversion.Filter,
		Snapshots:    conversion.Snapshots,
		MaxEventSize: conversion.MaxEventSize,
		Redaction:    conversion.Redaction,
	}
}

func defaultWebhookConfig() WebhookConfig {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:8080"
	server.MaxRequestBodySize = defaultMaxRequestBodySize
	server.WriteTimeout = 0 // Timeout bounds the whole request
	return WebhookConfig{
		ServerConfig:     server,
		Path:             "/audit",
		Timeout:          defaultTimeout,
		MaxInFlightBytes: defaultMaxInFlightBytes,
	}
}

func defaultFilesConfig() FilesConfig {
	files := fileconsumer.NewConfig()
	files.StartAt = "beginning"
	files.Compression = "auto"
	files.MaxLogSize = defaultMaxLineSize
	files.MaxLogSizeBehavior = fileconsumer.MaxLogSizeBehaviorTruncate
	files.FlushPeriod = 0 // a torn last line waits for its rest
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0 // until the pipeline accepts
	return FilesConfig{Config: *files, Retry: retry}
}
