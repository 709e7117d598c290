// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package redact takes secrets out of Kubernetes API requests before anything of them leaves a receiver: out of bodies,
// patches, error messages, paths and queries. README.md lists its options.
//
// Bodies are redacted while they are copied, in one pass. What a value is follows from the keys above it; each step down
// moves a small state machine on, see [place]. Where it cannot tell whether a value is secret it takes it for one.
package redact // import "github.com/kelemetry/kelemetry/internal/redact"
