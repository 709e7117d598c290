// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package collect gathers what a storage has on an object, over a time range and as far around the object as a display
// mode looks, into a graph. It is bounded in traces, spans, objects and concurrency; what was left out for that, or could
// not be read, is a warning of the graph.
package collect // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
