// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package clusters holds no code: with the build tag integration, its tests run the extension kube_clusters, and the
// manifests of deploy/rbac, against a real API server.
package clusters
