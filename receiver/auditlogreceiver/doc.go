// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package auditlogreceiver receives the Kubernetes audit log, by webhook or from files, and turns each request into a
// span on the object that it concerns. In a logs pipeline each event becomes a log record. Nothing secret leaves it.
package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"
