// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package tracestoreextension is a trace store in the collector's own process: it takes OTLP over gRPC, keeps spans in files of a
// local directory for a bounded time and size, and serves them to Jaeger by its storage API v2, and to other components in the same process.
package tracestoreextension // import "github.com/kelemetry/kelemetry/extension/tracestoreextension"
