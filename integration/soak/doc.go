// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package soak holds tests in which parts of the system fail again and again under load, and in which nothing that was acknowledged may
// be lost, nothing doubled, and memory must not grow.
package soak
