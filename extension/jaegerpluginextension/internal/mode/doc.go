// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package mode says how a trace can be shown: display modes, and modifiers that say how far around the object to look.
// A mode has an ID of eight hex digits; those of modifiers are OR-ed to it. Users name them as "tracing [ancestors]".
package mode // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
