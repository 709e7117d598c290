// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package watchreceiver watches all objects of a cluster and turns each change into a span on the object: what changed,
// field by field, and which field managers did it. It needs no audit log. Nothing secret leaves it.
package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"
