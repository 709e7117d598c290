// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"errors"
	"fmt"
	"regexp"

	"go.opentelemetry.io/collector/config/configopaque"
)

// minHashKey is the least number of bytes of a hash key. A key that can be guessed gives short values away.
const minHashKey = 16

// Config says what is redacted. README.md describes the rules. Each is on by default; a rule that is switched off lets
// the values it names leave the receiver.
type Config struct {
	// Secrets redacts the values of data and stringData of Secrets. Key names stay.
	Secrets bool `mapstructure:"secrets"`
	// ConfigMaps redacts the values of data and binaryData of ConfigMaps. Key names stay.
	ConfigMaps bool `mapstructure:"configmaps"`
	// TokensAndReviews keeps back the bodies of token requests, of authentication and authorization reviews and of
	// certificate signing requests.
	TokensAndReviews bool `mapstructure:"tokens_and_reviews"`
	// LastApplied redacts annotations that hold a full copy of the object.
	LastApplied bool `mapstructure:"last_applied"`
	// LastAppliedAnnotations names further annotations that LastApplied redacts.
	LastAppliedAnnotations []string `mapstructure:"last_applied_annotations"`
	// ContainerEnv redacts the values of environment variables of containers. Names and references stay.
	ContainerEnv bool `mapstructure:"container_env"`
	// ContainerArgs redacts the arguments and commands of containers and probes, and the HTTP headers of probes.
	ContainerArgs bool `mapstructure:"container_args"`
	// Messages cuts dumps and diffs of objects out of error messages, and out of the fields message and note of bodies.
	Messages bool `mapstructure:"messages"`
	// LabeledObjects redacts everything but the metadata of objects that have the label
	// kelemetry.kubewharf.io/diff-redacted with any value but "false".
	LabeledObjects bool `mapstructure:"labeled_objects"`
	// Paths lists more values to redact.
	Paths []PathRule `mapstructure:"paths"`
	// Objects lists regular expressions over group/version/resource/namespace/name. Everything but the metadata of an
	// object that one of them matches is redacted, and its annotations are too. The core group is empty, and so is the
	// namespace of a cluster-scoped object.
	Objects []string `mapstructure:"objects"`
	// DropBodies lists such regular expressions for objects whose bodies are kept back altogether.
	DropBodies []string `mapstructure:"drop_bodies"`
	// HashKey, of at least 16 bytes, makes a redacted value "<redacted:xxxxxxxx>", with the first 8 hex digits of its
	// HMAC-SHA256 under this key. It shows that a value changed. Empty means that all redacted values look the same.
	HashKey configopaque.String `mapstructure:"hash_key"`
}

// PathRule names values by where they are.
type PathRule struct {
	// Resource is a glob for resource.group, such as "*.example.com" or "deployments.apps". Without a dot it is one for
	// the resource in any group.
	Resource string `mapstructure:"resource"`
	// Path leads from the object to the values, such as spec.users[*].password. * stands for any key and [*] for any
	// item of a list; a key that contains a dot is written ["example.com/key"]. Lists need no [*]: a path goes through them.
	Path string `mapstructure:"path"`
}

// NewDefaultConfig returns the configuration that lets nothing known to be secret leave.
func NewDefaultConfig() Config {
	return Config{
		Secrets: true, ConfigMaps: true, TokensAndReviews: true, LastApplied: true,
		ContainerEnv: true, ContainerArgs: true, Messages: true, LabeledObjects: true,
	}
}

// Validate reports everything that is wrong, by YAML key.
func (c *Config) Validate() error {
	var errs []error
	for i, name := range c.LastAppliedAnnotations {
		if name == "" {
			errs = append(errs, fmt.Errorf("last_applied_annotations[%d]: must be the name of an annotation, got none", i))
		}
	}
	for i, rule := range c.Paths {
		if err := checkGlob(rule.Resource); err != nil {
			errs = append(errs, fmt.Errorf("paths[%d]::resource: %w", i, err))
		}
		if _, err := parsePath(rule.Path); err != nil {
			errs = append(errs, fmt.Errorf("paths[%d]::path: %w", i, err))
		}
	}
	if _, err := compile("objects", c.Objects); err != nil {
		errs = append(errs, err)
	}
	if _, err := compile("drop_bodies", c.DropBodies); err != nil {
		errs = append(errs, err)
	}
	if n := len(c.HashKey); n > 0 && n < minHashKey {
		errs = append(errs, fmt.Errorf("hash_key: must be empty or at least %d bytes, got %d", minHashKey, n))
	}
	return errors.Join(errs...)
}

func compile(key string, expressions []string) ([]*regexp.Regexp, error) {
	var compiled []*regexp.Regexp
	var errs []error
	for i, expression := range expressions {
		re, err := regexp.Compile(expression)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s[%d]: must be a regular expression of Go: %w", key, i, err))
		case expression == "":
			errs = append(errs, fmt.Errorf("%s[%d]: must be a regular expression, got none; .* matches every object", key, i))
		default:
			compiled = append(compiled, re)
		}
	}
	return compiled, errors.Join(errs...)
}
