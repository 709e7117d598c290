// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package jaegerpluginextension is a storage for Jaeger that has views of Kubernetes objects: it serves Jaeger's remote storage API,
// reads raw traces from another storage, and joins what they tell of an object into one trace.
package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"
