// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package spanstore keeps spans on disk, in an embedded key-value library, and finds them again.
//
// Time is cut into slices of an hour, and everything about a span is kept with the slice that it starts in: the span itself by
// trace, its resource once for each trace, and the terms by which it can be found. A slice is a range of keys, so that to
// forget one is to drop whole files.
//
// Spans come and go as OTLP encodes them, and are never decoded in order to write. What many of a slice's spans have in common stands in the slice's
// dictionary, and spans have its number.
//
// What is written twice is stored once: rows are named by trace and span ID, and of two copies of a span the richer one stays, or the
// later one if they are alike. Nothing is read in order to write.
package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"
