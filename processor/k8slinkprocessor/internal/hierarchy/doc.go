// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package hierarchy finds out who owns whom.
//
// A [Forest] holds the objects that the spans of one batch concern. [Knowledge] outlives batches: it learns what the
// forest was told about owners, then completes the forest with all ancestors it knows.
//
//	forest := hierarchy.NewForest()
//	pod := forest.Add(resource)           // for every object with spans in the batch
//	pod.Teach(owners, span.StartTimestamp())
//	knowledge.Complete(forest)
//	chain, _ := pod.Chain(maxDepth, nil)  // pod, ReplicaSet, Deployment
//
// Knowledge about an object is a set: of each of its lives the newest fact. So what is known, and with it every
// decision, depends on which facts were seen and never on the order in which they arrived.
package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
