// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package model joins stored traces into what they tell of Kubernetes objects: which there are, who owned whom, which
// lives a name had, what happened to each, and what refers to what.
//
// An object's spans lie in many traces: one for each window, and in fragments where its owner was not known at once. All of
// them are added to one Graph, in any order and any number of times; the same spans make the same graph. What cannot be
// made sense of leaves a warning, never an error.
//
//	graph := model.NewGraph(model.Limits{})
//	graph.Add(traces)
//	object, ok := graph.Object(id)
package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
