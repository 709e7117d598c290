// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package kubeclustersextension is the one place where clusters are configured: how to reach each, what its API server
// serves, and the metadata of its objects. Other components find it by its ID and use it through package kubecluster.
package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"
