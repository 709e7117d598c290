// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan reads JSON from memory in one pass, by pulling: the caller says what it wants next and skips the rest.
//
// It is for large texts of which few fields matter. What is skipped is validated nevertheless: a value is accepted
// exactly when encoding/json.Valid accepts it, and skipping it never allocates.
//
// The functions given to [Scanner.Object] and [Scanner.Array] are only called, never kept. So the compiler leaves
// closures and what they capture on the stack, and decoding does not allocate for them, unless the caller stores a
// closure somewhere first.
package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"
