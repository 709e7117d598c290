// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogencodingextension // import "github.com/kelemetry/kelemetry/extension/auditlogencodingextension"

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/kelemetry/kelemetry/extension/auditlogencodingextension/internal/metadata"
)

// NewFactory creates the factory of the auditlog_encoding extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(cfg.(*Config), set)
}
