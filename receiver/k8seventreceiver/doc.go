// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package k8seventreceiver reads the Events of a cluster and turns each occurrence into a span on the object that it
// regards. IDs are computed, so restarts, replicas and changes of the leader agree on what they send.
package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"
