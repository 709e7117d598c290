// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go run -C ../../../tools ./protogen ../.. internal/jaegerstorage/internal/storagev2

// Package storagev2 has the messages and services of Jaeger's storage API v2, generated from the files beside it.
package storagev2 // import "github.com/kelemetry/kelemetry/internal/jaegerstorage/internal/storagev2"
