// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package source lists and watches one resource for client-go's reflector, and hands the text of each object to a function
// as soon as it has arrived, so that a list is never in memory as a whole. What the reflector gets to see are [Item]s.
package source // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"
