// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package plugin is what Jaeger sees: a storage whose services are display modes, whose operations are clusters and whose
// traces are views of objects. It keeps nothing between two requests.
package plugin // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
