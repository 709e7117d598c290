// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan reads JSON from memory in one pass, by pulling: the caller says what it wants next and skips the rest.
//
// It is for large texts of which few fields matter. What is skipped is validated nevertheless: a value is accepted
// exactly when encoding/json.Valid accepts it, and skipping it never allocates.
//
//	s := jsonscan.New(text)
//	err := s.Object(func(key []byte) (err error) {
//		switch string(key) {
//		case "verb":
//			verb, err = s.Str()
//		case "code":
//			code, err = s.Int()
//		}
//		return err // what the function did not consume is skipped
//	})
//	if err == nil {
//		err = s.End()
//	}
//
// The functions given to [Scanner.Object] and [Scanner.Array] are only called, never kept. So the compiler leaves
// closures and what they capture on the stack: decoding does not allocate for them. A closure that is stored in a
// variable of the heap first, or passed through an interface, does.
package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"
