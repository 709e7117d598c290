// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package doctorextension // import "github.com/kelemetry/kelemetry/extension/doctorextension"

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/kelemetry/kelemetry/extension/doctorextension/internal/metadata"
)

// NewFactory creates the factory of the doctor extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return &doctorExtension{config: cfg.(*Config), set: set, statuses: newStatuses()}, nil
}
