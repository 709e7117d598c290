// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// Config says what becomes of audit events.
type Config struct {
	// Window is the length of the slices of time that traces are cut into.
	Window time.Duration
	// Filter decides which events become spans. It does not apply to logs, which get every event.
	Filter FilterConfig
	// Snapshots configures the copies of whole objects that are kept when one is created or deleted.
	Snapshots SnapshotConfig
	// MaxEventSize is the size of an event's JSON, in bytes, beyond which its bodies are left out.
	MaxEventSize int
	// Redaction decides what is secret.
	Redaction redact.Config
}

// SnapshotConfig configures snapshots.
type SnapshotConfig struct {
	// Enabled switches snapshots on.
	Enabled bool `mapstructure:"enabled"`

	// MaxSize is the size of a snapshot's JSON, in bytes, beyond which only its metadata is kept.
	MaxSize int `mapstructure:"max_size"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// FilterConfig decides which events become spans. An event does when its stage and verb are listed, no rule of
// Exclude matches, and Include is empty or one of its rules matches.
type FilterConfig struct {
	// Stages are the stages of a request that become spans.
	Stages []string `mapstructure:"stages"`

	// Verbs are the verbs that become spans. "connect" stands for exec, attach, portforward and proxy, whatever verb
	// they arrive as.
	Verbs []string `mapstructure:"verbs"`

	// Include keeps only the events that match one of its rules, unless it is empty.
	Include []RuleConfig `mapstructure:"include"`

	// Exclude drops the events that match one of its rules.
	Exclude []RuleConfig `mapstructure:"exclude"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RuleConfig matches an event when each of its lists that is not empty has an entry that matches. In an entry, * stands
// for any text.
type RuleConfig struct {
	// Clusters are cluster names.
	Clusters []string `mapstructure:"clusters"`

	// Resources are plurals with their group: pods, deployments.apps, *.example.com; with /subresource to match that
	// subresource only.
	Resources []string `mapstructure:"resources"`

	// Namespaces are namespaces; an empty entry matches cluster-scoped objects.
	Namespaces []string `mapstructure:"namespaces"`

	// Names are object names.
	Names []string `mapstructure:"names"`

	// Verbs are verbs, "connect" as above.
	Verbs []string `mapstructure:"verbs"`

	// Users are names of the acting user, the impersonated one where there is one.
	Users []string `mapstructure:"users"`

	// UserAgents are user agents.
	UserAgents []string `mapstructure:"user_agents"`

	// StatusCodes are response codes, such as 409 or 4*.
	StatusCodes []string `mapstructure:"status_codes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate reports everything that is wrong at once, but for what the types of its fields validate.
func (c Config) Validate() error {
	var errs []error
	if err := identity.Window(c.Window).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("window: %w", err))
	}
	if c.MaxEventSize <= 0 {
		errs = append(errs, fmt.Errorf("max_event_size: must be positive, got %d", c.MaxEventSize))
	}
	if c.Snapshots.MaxSize <= 0 {
		errs = append(errs, fmt.Errorf("snapshots::max_size: must be positive, got %d", c.Snapshots.MaxSize))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the filter at once.
func (c *FilterConfig) Validate() error {
	stages := []string{
		auditevent.StageRequestReceived, auditevent.StageResponseStarted, auditevent.StageResponseComplete, auditevent.StagePanic,
	}
	var errs []error
	for _, stage := range c.Stages {
		if !slices.Contains(stages, stage) {
			errs = append(errs, fmt.Errorf("stages: must be among %s, got %q", strings.Join(stages, ", "), stage))
		}
	}
	if len(c.Stages) == 0 {
		errs = append(errs, errors.New("stages: name at least one"))
	}
	if len(c.Verbs) == 0 {
		errs = append(errs, errors.New("verbs: name at least one, or * for all"))
	}
	return errors.Join(errs...)
}

const (
	defaultMaxEventSize = 1 << 20
	defaultSnapshotSize = 32 << 10
)

// NewDefaultConfig returns the defaults: writes and connections, with everything redacted that may be secret.
func NewDefaultConfig() Config {
	return Config{
		Window:       time.Duration(identity.DefaultWindow),
		Filter:       defaultFilterConfig(),
		Snapshots:    SnapshotConfig{Enabled: true, MaxSize: defaultSnapshotSize},
		MaxEventSize: defaultMaxEventSize,
		Redaction:    redact.NewDefaultConfig(),
	}
}

func defaultFilterConfig() FilterConfig {
	return FilterConfig{
		Stages: []string{auditevent.StageResponseComplete, auditevent.StagePanic},
		Verbs:  []string{"create", "update", "patch", "delete", "deletecollection", verbConnect},
		// Events have a receiver of their own; leases are heartbeats; reviews are questions that create nothing.
		Exclude: []RuleConfig{{Resources: []string{
			"events", "events.events.k8s.io", "leases.coordination.k8s.io",
			"*reviews.authentication.k8s.io", "*reviews.authorization.k8s.io",
		}}},
	}
}
