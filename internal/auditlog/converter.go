// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"fmt"

	"github.com/kelemetry/kelemetry/internal/redact"
)

// Converter makes batches. It is immutable and safe for concurrent use.
type Converter struct {
	config   Config
	scope    Scope
	filter   *filter
	redactor *redact.Redactor
}

// Scope says which component made the spans and records.
type Scope struct{ Name, Version string }

// New compiles a configuration that is valid.
func New(config Config, scope Scope) (*Converter, error) {
	redactor, err := redact.New(config.Redaction)
	if err != nil {
		return nil, fmt.Errorf("redaction: %w", err)
	}
	return &Converter{config: config, scope: scope, filter: newFilter(config.Filter), redactor: redactor}, nil
}
