// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package auditlogencodingextension decodes Kubernetes audit events for receivers that take them from a queue, such as Kafka's: into the
// spans and log records that the auditlog receiver makes of them.
package auditlogencodingextension // import "github.com/kelemetry/kelemetry/extension/auditlogencodingextension"
