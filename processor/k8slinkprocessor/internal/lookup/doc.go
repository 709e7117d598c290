// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package lookup finds owners that no span told: it asks who knows the object in this process, then the API server, and no
// longer than a batch may wait.
package lookup // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
