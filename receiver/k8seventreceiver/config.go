// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// Config is the configuration of the receiver.
type Config struct {
	// KubeClusters is the extension of type kube_clusters that knows the cluster.
	KubeClusters component.ID `mapstructure:"kube_clusters"`

	// Cluster is the cluster's name in that extension. It may be empty when the extension has only one.
	Cluster string `mapstructure:"cluster"`

	// Namespaces are the namespaces whose Events are read, each by a watch of its own; all in one watch if empty. Events
	// about cluster-scoped objects are in "default".
	Namespaces []string `mapstructure:"namespaces"`

	// Window is the length of the slices of time that traces are cut into. It must be the same in every component
	// that assigns trace IDs.
	Window time.Duration `mapstructure:"window"`

	// Storage is the storage extension that keeps how far the Events have been read. Without it, reading starts at
	// MaxAge ago again after a restart.
	Storage *component.ID `mapstructure:"storage"`

	// MaxAge is how old an Event may be at the first start, when nothing is stored yet.
	MaxAge time.Duration `mapstructure:"max_age"`

	// Filter decides which Events become spans.
	Filter FilterConfig `mapstructure:"filter"`

	// LeaderElector is the extension of type k8s_leader_elector that says when to read. Without it the receiver always
	// reads, which is fine in many replicas at once, because they compute the same IDs.
	LeaderElector *component.ID `mapstructure:"k8s_leader_elector"`

	// WarningsAsErrors gives the spans of Events of type Warning the status Error.
	WarningsAsErrors bool `mapstructure:"warnings_as_errors"`

	// BatchSize is the most Events that are in memory at a time, for each of Namespaces.
	BatchSize int `mapstructure:"batch_size"`

	// TrackedEvents is of how many Events the last count is remembered, to tell how much it grew.
	TrackedEvents int `mapstructure:"tracked_events"`

	// Retry configures how a batch that the pipeline refuses is tried again. Reading waits meanwhile.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// Redaction decides what messages may tell. The default is safe.
	Redaction redact.Config `mapstructure:"redaction"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// FilterConfig decides which Events become spans. An Event does when no rule of Exclude matches, and Include is empty or
// one of its rules matches.
type FilterConfig struct {
	// Include keeps only the Events that match one of its rules, unless it is empty.
	Include []RuleConfig `mapstructure:"include"`

	// Exclude drops the Events that match one of its rules.
	Exclude []RuleConfig `mapstructure:"exclude"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RuleConfig matches an Event when each of its lists that is not empty has an entry that matches. In an entry, * stands
// for any text.
type RuleConfig struct {
	// Namespaces are namespaces of the object; an empty entry matches cluster-scoped objects.
	Namespaces []string `mapstructure:"namespaces"`

	// Kinds are kinds of the object, alone or with their group: Pod, Deployment.apps, *.example.com.
	Kinds []string `mapstructure:"kinds"`

	// Names are names of the object.
	Names []string `mapstructure:"names"`

	// Reasons are reasons of the Event.
	Reasons []string `mapstructure:"reasons"`

	// Types are types of the Event: Normal, Warning.
	Types []string `mapstructure:"types"`

	// Controllers are the reporting controllers.
	Controllers []string `mapstructure:"controllers"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate reports everything that is wrong with the configuration at once.
func (c *Config) Validate() error {
	var errs []error
	if c.KubeClusters == (component.ID{}) {
		errs = append(errs, errors.New("kube_clusters: name the extension that knows the cluster, such as kube_clusters"))
	}
	seen := make(map[string]bool, len(c.Namespaces))
	for i, namespace := range c.Namespaces {
		if namespace == "" || strings.ContainsAny(namespace, "*/ ") {
			errs = append(errs, fmt.Errorf("namespaces[%d]: must be the name of a namespace, got %q; filter has patterns", i, namespace))
		}
		if seen[namespace] {
			errs = append(errs, fmt.Errorf("namespaces[%d]: %q is listed twice", i, namespace))
		}
		seen[namespace] = true
	}
	if err := identity.Window(c.Window).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("window: %w", err))
	}
	if c.MaxAge < 0 {
		errs = append(errs, fmt.Errorf("max_age: must not be negative, got %s", c.MaxAge))
	}
	if c.BatchSize <= 0 {
		errs = append(errs, fmt.Errorf("batch_size: must be positive, got %d", c.BatchSize))
	}
	if c.TrackedEvents <= 0 {
		errs = append(errs, fmt.Errorf("tracked_events: must be positive, got %d", c.TrackedEvents))
	}
	return errors.Join(errs...)
}

const (
	// API servers keep Events for an hour unless told otherwise: everything they have.
	defaultMaxAge        = time.Hour
	defaultBatchSize     = 500
	defaultTrackedEvents = 32768
)

func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0 // until the pipeline accepts
	return &Config{
		KubeClusters:  component.MustNewID("kube_clusters"),
		Window:        time.Duration(identity.DefaultWindow),
		MaxAge:        defaultMaxAge,
		BatchSize:     defaultBatchSize,
		TrackedEvents: defaultTrackedEvents,
		Retry:         retry,
		Redaction:     redact.NewDefaultConfig(),
	}
}
