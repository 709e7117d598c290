// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/metadata"
)

// NewFactory creates the factory of the jaeger_plugin extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(cfg.(*Config), set), nil
}
