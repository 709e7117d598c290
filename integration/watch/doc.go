// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package watch tests the watch receiver on a real control plane, with the build tag integration.
package watch
