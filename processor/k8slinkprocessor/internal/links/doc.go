// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package links finds the objects that an object refers to without being owned by them, and what else its own span is to
// tell of it. It is pure: rules and an object go in, facts come out.
//
//	rules, err := links.Compile(settings)
//	if rules.Concern(object.Group, object.Resource) {
//		facts := rules.Evaluate(object)   // links, tags and trace contexts
//	}
//
// Rules are expressions in CEL, from the configuration and from presets, which are rules too: the files in presets/.
// Three things bound what an expression can do: its own cost, the number of links of an object, and the length of texts.
package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
