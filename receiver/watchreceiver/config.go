// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// Config is the configuration of the receiver.
type Config struct {
	// KubeClusters is the ID of the extension that knows the cluster.
	KubeClusters component.ID `mapstructure:"kube_clusters"`

	// Cluster is the name of the cluster in that extension; empty for the only one.
	Cluster string `mapstructure:"cluster"`

	// Namespaces restricts the watch to objects in these namespaces, for an account that may not see others. Unless it
	// is empty, cluster-scoped objects are not watched.
	Namespaces []string `mapstructure:"namespaces"`

	// Include keeps only the objects that match one of its rules, unless it is empty.
	Include []RuleConfig `mapstructure:"include"`

	// Exclude leaves out the objects that match one of its rules.
	Exclude []RuleConfig `mapstructure:"exclude"`

	// Window is the length of the slices of time that traces are cut into. It must be the same in every component
	// that assigns trace IDs.
	Window time.Duration `mapstructure:"window"`

	// DiscoveryInterval is how often the cluster is asked for its resources, at least. A CustomResourceDefinition
	// that changes is noticed at once, unless those are excluded.
	DiscoveryInterval time.Duration `mapstructure:"discovery_interval"`

	// Lists configures how lists are read.
	Lists ListConfig `mapstructure:"lists"`

	// Diff configures how changes are shown.
	Diff DiffConfig `mapstructure:"diff"`

	// Snapshots configures the copies of whole objects that are kept when one is created or deleted.
	Snapshots SnapshotConfig `mapstructure:"snapshots"`

	// Memory bounds what is kept.
	Memory MemoryConfig `mapstructure:"memory"`

	// Retry configures how spans that the pipeline refuses are tried again.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// Redaction decides what is secret. The default is safe.
	Redaction redact.Config `mapstructure:"redaction"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RuleConfig matches an object when each of its lists that is not empty has an entry that matches, and its labels match.
// In an entry, * stands for any text.
type RuleConfig struct {
	// Resources are plurals with their group: pods, deployments.apps, *.example.com.
	Resources []string `mapstructure:"resources"`

	// Namespaces are namespaces; an empty entry matches cluster-scoped objects.
	Namespaces []string `mapstructure:"namespaces"`

	// Labels is a label selector, such as "app=shop,tier!=test".
	Labels string `mapstructure:"labels"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ListConfig bounds what reading whole lists asks of the API server.
type ListConfig struct {
	// MaxConcurrent is how many resources are listed at the same time.
	MaxConcurrent int `mapstructure:"max_concurrent"`

	// PageSize is how many objects are asked for at once, of API servers that cannot stream lists.
	PageSize int64 `mapstructure:"page_size"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DiffConfig configures how changes are shown.
type DiffConfig struct {
	// MaxChanges is the number of changes of one update that are shown; how many more there are is told.
	MaxChanges int `mapstructure:"max_changes"`

	// MaxValueSize is the number of bytes of each old and new value that are shown; how many more there are is told.
	MaxValueSize int `mapstructure:"max_value_size"`

	// MaxSize bounds the bytes of all changes of one update that are shown.
	MaxSize int `mapstructure:"max_size"`

	// Noise lists paths whose changes are not shown, and do not make a span by themselves. [*] stands for any item of
	// a list.
	Noise []string `mapstructure:"noise"`

	// Verbose shows noise too.
	Verbose bool `mapstructure:"verbose"`

	// prevent unkeyed literal initialization
	_ struct{}
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

// MemoryConfig bounds what is kept.
type MemoryConfig struct {
	// MaxStateSize bounds the bytes of the last states of all objects, compressed. From 90 % on only metadata is kept of
	// objects that are not known yet or grow; at 100 % nothing is.
	MaxStateSize int64 `mapstructure:"max_state_size"`

	// MaxQueueSize bounds the bytes of the changes that wait for the pipeline. When it is full, the watches wait.
	MaxQueueSize int64 `mapstructure:"max_queue_size"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate reports everything that is wrong with the configuration at once.
func (c *Config) Validate() error {
	var errs []error
	positive := func(name string, value int64) {
		if value <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be positive, got %d", name, value))
		}
	}
	if c.KubeClusters == (component.ID{}) {
		errs = append(errs, errors.New("kube_clusters: name the extension that knows the cluster"))
	}
	if slices.Contains(c.Namespaces, "") {
		errs = append(errs, errors.New("namespaces: must be names, got an empty one"))
	}
	if err := identity.Window(c.Window).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("window: %w", err))
	}
	if c.DiscoveryInterval < time.Second {
		errs = append(errs, fmt.Errorf("discovery_interval: must be at least 1s, got %s", c.DiscoveryInterval))
	}
	positive("lists::max_concurrent", int64(c.Lists.MaxConcurrent))
	positive("lists::page_size", c.Lists.PageSize)
	positive("diff::max_changes", int64(c.Diff.MaxChanges))
	positive("diff::max_value_size", int64(c.Diff.MaxValueSize))
	positive("diff::max_size", int64(c.Diff.MaxSize))
	positive("snapshots::max_size", int64(c.Snapshots.MaxSize))
	if c.Memory.MaxStateSize < mebibyte {
		errs = append(errs, fmt.Errorf("memory::max_state_size: must be at least %d, got %d", mebibyte, c.Memory.MaxStateSize))
	}
	if c.Memory.MaxQueueSize < mebibyte {
		errs = append(errs, fmt.Errorf("memory::max_queue_size: must be at least %d, got %d", mebibyte, c.Memory.MaxQueueSize))
	}
	return errors.Join(errs...)
}

// Validate reports what is wrong with a rule.
func (c *RuleConfig) Validate() error {
	if len(c.Resources) == 0 && len(c.Namespaces) == 0 && c.Labels == "" {
		return errors.New("set resources, namespaces or labels")
	}
	if _, err := labels.Parse(c.Labels); err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	return nil
}

const mebibyte = 1 << 20

func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0 // until the pipeline accepts; the watches wait meanwhile
	return &Config{
		KubeClusters:      component.MustNewID("kube_clusters"),
		Window:            time.Duration(identity.DefaultWindow),
		DiscoveryInterval: 5 * time.Minute,
		// What changes all the time and tells nothing, or nothing that is not told better elsewhere.
		Exclude: []RuleConfig{{Resources: []string{
			"events", "events.events.k8s.io", // have a receiver of their own
			"leases.coordination.k8s.io", "leasecandidates.coordination.k8s.io", // heartbeats, every 2 to 10 s of each holder
			"endpoints", "endpointslices.discovery.k8s.io", // follow the readiness of Pods, which is watched
			"verticalpodautoscalercheckpoints.autoscaling.k8s.io", // saved histograms, every minute
		}}},
		Lists:     ListConfig{MaxConcurrent: 4, PageSize: 200},
		Diff:      DiffConfig{MaxChanges: 100, MaxValueSize: 2 << 10, MaxSize: 32 << 10, Noise: diff.DefaultNoise()},
		Snapshots: SnapshotConfig{Enabled: true, MaxSize: 32 << 10},
		Memory:    MemoryConfig{MaxStateSize: 256 * mebibyte, MaxQueueSize: 16 * mebibyte},
		Retry:     retry,
		Redaction: redact.NewDefaultConfig(),
	}
}
