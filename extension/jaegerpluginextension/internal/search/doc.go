// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package search finds the objects that a query of Jaeger's search form asks for: which of the stored traces have a span as the
// tags say, and which object that span is about.
package search // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/search"
