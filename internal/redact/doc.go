// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package redact takes secrets out of Kubernetes API requests before anything of them leaves a receiver: out of bodies,
// patches, error messages, paths and queries. README.md lists its options.
//
// Bodies are redacted while they are copied, in one pass. What a value is follows from the keys above it; each step down
// moves a small state machine on, see [place]. Where it cannot tell whether a value is secret it takes it for one.
//
//	redactor, err := redact.New(redact.NewDefaultConfig())
//	t := redact.Target{Version: "v1", Resource: "secrets", Namespace: "default", Name: "db"}
//	out, n, err := redactor.AppendObject(nil, t, []byte(`{"data":{"password":"aHVudGVyMg=="}}`))
//	// out is {"data":{"password":"<redacted>"}}, n is 1
package redact // import "github.com/kelemetry/kelemetry/internal/redact"
