// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package joins remembers the changes that were observed and the requests that were made of late, and finds out which
// request made which change by the rule of package diffjoin.
//
//	table := joins.New(joins.Options{Rule: rule, MaxSize: 32 << 20, MaxAge: 5 * time.Minute})
//	found := table.Join(now, changes, requests) // of one batch
//
// It is bounded by bytes, by age, and for each object by number, reads no clock and does no I/O.
package joins // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/joins"
