// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
)

// Config is the configuration of k8slink. All of it has a default.
type Config struct {
	// Window is the length of the slices of time that bound a trace. It must be the same in every receiver and every
	// k8slink whose output meets in one storage, because trace IDs are computed from it.
	Window time.Duration `mapstructure:"window"`

	// MaxObjects bounds each of the tables that the processor keeps in memory: objects whose owners are known, object
	// spans already sent, and custom types. The entries not used for longest give way.
	MaxObjects int `mapstructure:"max_objects"`

	// MaxDepth bounds how many objects a chain of owners may have, from an object to its root, both included.
	MaxDepth int `mapstructure:"max_depth"`

	// DefaultCluster is the cluster of objects whose span and resource carry no k8s.cluster.name. When it is empty,
	// service.name is taken for the cluster.
	DefaultCluster string `mapstructure:"default_cluster"`

	// Joins are about the diffs that a watch sees, on the audit spans of the requests that made the changes.
	Joins JoinsConfig `mapstructure:"joins"`

	// Links configures relations between objects that are no ownership.
	Links LinksConfig `mapstructure:"links"`

	// Tags are values that are copied from objects to their spans.
	Tags []links.Tag `mapstructure:"tags"`

	// Fold makes one span of many like ones, as endless loops of controllers make them.
	Fold FoldConfig `mapstructure:"fold"`

	// MultipleOwners says which owner an object is placed under that has several and no controller among them: none
	// (controller_only), or the first in its list (first).
	MultipleOwners string `mapstructure:"multiple_owners"`

	// DeletedRetention is how long the owners of a deleted object are kept in preference to those of objects that are
	// there, which can be told or looked up again. 0 keeps them like any other.
	DeletedRetention time.Duration `mapstructure:"deleted_retention"`

	// Lookup has owners looked up that no span has told. Without it nothing is asked.
	Lookup configoptional.Optional[LookupConfig] `mapstructure:"lookup"`
}

// maxMaxDepth keeps a configuration from making every span walk a hostile chain.
const maxMaxDepth = 64

func createDefaultConfig() component.Config {
	return &Config{
		Window:     time.Duration(identity.DefaultWindow),
		MaxObjects: 100_000,
		MaxDepth:   16,
		Joins:      defaultJoins(),
		Links:      defaultLinks(),
		Tags:       []links.Tag{{Match: links.Match{Resource: "pods"}, Attribute: attr.NodeName, Value: "object.spec.nodeName"}},

		Fold:             defaultFold(),
		MultipleOwners:   string(hierarchy.ControllerOnly),
		DeletedRetention: time.Hour,
		Lookup:           configoptional.Default(defaultLookup()),
	}
}

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs error
	if err := identity.Window(c.Window).Validate(); err != nil {
		errs = errors.Join(errs, fmt.Errorf("window: %w", err))
	}
	if c.MaxObjects < 1 {
		errs = errors.Join(errs, fmt.Errorf("max_objects: must be at least 1, got %d", c.MaxObjects))
	}
	if c.MaxDepth < 1 || c.MaxDepth > maxMaxDepth {
		errs = errors.Join(errs, fmt.Errorf("max_depth: must be between 1 and %d, got %d", maxMaxDepth, c.MaxDepth))
	}
	if known := []string{string(hierarchy.ControllerOnly), string(hierarchy.First)}; !slices.Contains(known, c.MultipleOwners) {
		errs = errors.Join(errs, fmt.Errorf("multiple_owners: must be among %s, got %q", strings.Join(known, ", "), c.MultipleOwners))
	}
	if c.DeletedRetention < 0 {
		errs = errors.Join(errs, fmt.Errorf("deleted_retention: must not be negative, got %s", c.DeletedRetention))
	}
	return errors.Join(errs, c.Joins.validate(), c.Links.validate(), c.Fold.validate(), c.compiles())
}
