// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan_test

import (
	"fmt"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

func Example() {
	var verb string
	var code int64
	s := jsonscan.New([]byte(`{"verb": "get", "user": {"groups": ["a", "b"]}, "code": 200}`))
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "verb":
			verb, err = s.Str()
		case "code":
			code, err = s.Int()
		}
		return err // what the function did not consume is skipped
	})
	if err == nil {
		err = s.End()
	}
	fmt.Println(verb, code, err)
	// Output: get 200 <nil>
}
