// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package doctorextension says why there are no traces, in words: from the status that components report and from the collector's own
// metrics.
package doctorextension // import "github.com/kelemetry/kelemetry/extension/doctorextension"
