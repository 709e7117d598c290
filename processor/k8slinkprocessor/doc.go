// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package k8slinkprocessor nests the spans of Kubernetes objects by who owns whom.
//
// Receivers give each span the trace that its object has as its own root. This processor learns owner references from
// the spans that pass, moves every span into the trace of its root object, and adds the spans of the objects
// themselves, so that a Deployment, its ReplicaSets and their Pods become one tree. Nothing is dropped or held back,
// and every ID is computed, so that replicas agree without talking to each other.
package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"
