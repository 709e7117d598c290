// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package web serves views over HTTP: /redirect leads to an object's page in Jaeger, and /trace has the view itself, as
// OTLP JSON or as text for a terminal.
package web // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/web"
