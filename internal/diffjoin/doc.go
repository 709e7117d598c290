// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package diffjoin decides which request made a change that was observed. It is the one rule for it, from the attributes
// of spans alone, so that k8slink uses it on spans that pass and a display on spans that are stored.
//
//	rule := diffjoin.Rule{Tolerance: 2 * time.Second}
//	for _, pair := range rule.Pairs(requests, changes) { // of one object
//		fmt.Println(requests[pair.Request].ID, changes[pair.Change].ID, pair.Join)
//	}
//
// A request that tells the new resourceVersion made the change with that resourceVersion: this is exact. Of one that does not,
// it is inferred from the version that it was based on, else from field manager and time. The better reason wins, and where
// two requests or two changes have equally good ones, nothing is joined. docs/joins.md tells it at length.
package diffjoin // import "github.com/kelemetry/kelemetry/internal/diffjoin"
