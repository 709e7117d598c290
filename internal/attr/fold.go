// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package attr // import "github.com/kelemetry/kelemetry/internal/attr"

// Span attributes of spans that stand for many like ones. FoldedCount is on the object's span too: how many were folded of
// the object so far.
const (
	FoldedCount = "kelemetry.folded.count"
	// FoldedFirst is when the first of them started, and FoldedLast when the last ended, as RFC 3339.
	FoldedFirst = "kelemetry.folded.first"
	FoldedLast  = "kelemetry.folded.last"
	// FoldedFields are the paths that they changed.
	FoldedFields = "kelemetry.folded.fields"
	// FoldedFieldsCut is true when there were more.
	FoldedFieldsCut = "kelemetry.folded.fields_cut"
)
