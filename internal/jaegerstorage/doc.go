// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package jaegerstorage is Jaeger's storage API v2 for reading traces: an interface in Go, a gRPC server that serves an
// implementation to Jaeger, and a client that makes an implementation of any storage that speaks the API.
//
//	jaegerstorage.Register(server, reader, jaegerstorage.Capabilities{WithoutServiceName: true})
//
//	reader := jaegerstorage.NewClient(connection)
//	for chunk, err := range reader.GetTraces(ctx, []jaegerstorage.TraceParams{{TraceID: id}}) { … }
package jaegerstorage // import "github.com/kelemetry/kelemetry/internal/jaegerstorage"
