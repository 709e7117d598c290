// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package servers builds the programs that integration tests run against: etcd, the Kubernetes control plane, kwok and Jaeger.
//
// Each comes from the published Go module that the nested module in the folder of its name requires, so that its
// dependencies never reach the go.mod of the product. What was built is kept by the content of that nested module: a changed
// version is a new build, anything else is found at once.
package servers
