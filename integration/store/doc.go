// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package store tests trace_store with a real Jaeger on top of it.
package store
