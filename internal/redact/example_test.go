// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact_test

import (
	"fmt"

	"github.com/kelemetry/kelemetry/internal/redact"
)

func Example() {
	redactor, err := redact.New(redact.NewDefaultConfig())
	if err != nil {
		panic(err)
	}
	t := redact.Target{Version: "v1", Resource: "secrets", Namespace: "default", Name: "db"}
	out, n, err := redactor.AppendObject(nil, t, []byte(`{"data": {"password": "aHVudGVyMg=="}}`))
	fmt.Println(string(out), n, err)
	// Output: {"data":{"password":"<redacted>"}} 1 <nil>
}
