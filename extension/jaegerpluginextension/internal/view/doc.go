// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package view shows what a graph tells of one object as a trace that Jaeger draws well.
//
// A view is made by rules, one in each file, in the order that rules.go lists. They work on a tree of nodes, each of which
// becomes a span. What a reader of the result may rely on, whatever was stored: exactly one root, the asked trace ID on each span,
// unique span IDs, one host.id, no span that ends before it starts, and entries in order of time.
package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"
