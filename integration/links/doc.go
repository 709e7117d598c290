// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package links tests links between objects on real control planes, with the build tag integration.
package links
