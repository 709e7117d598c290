// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package mode // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"

import "slices"

// Step is something that a mode does to what is shown. The order is not the configuration's but that of package view.
type Step string

// The steps. Package view has a file for each, which says more.
const (
	// JoinVersions makes one entry of those of one resourceVersion: the request, and what was observed of it.
	JoinVersions Step = "join_versions"
	// Flatten puts the entries of all objects below the root.
	Flatten Step = "flatten"
	// EntriesAsSpans gives each entry a span of its own. Without it they are the logs of their object's span.
	EntriesAsSpans Step = "entries_as_spans"
	// GroupBySource gives the logs of each source a span of its own.
	GroupBySource Step = "group_by_source"
	// PruneEmpty drops objects to which nothing happened, and below which nothing is shown.
	PruneEmpty Step = "prune_empty"
	// CopyAttributes copies attributes of entries to the object's span.
	CopyAttributes Step = "copy_attributes"
	// Lift puts what is below some objects or references beside them.
	Lift Step = "lift"
	// ClusterInFront puts the cluster's name in front of the object's, where it is another than the parent's.
	ClusterInFront Step = "cluster_in_front"
	// Shrink makes the spans of objects as long as what happened.
	Shrink Step = "shrink"
	// PadRoot makes the root a little longer than what is in it.
	PadRoot Step = "pad_root"
	// TimesInName appends the time range to the root's name.
	TimesInName Step = "times_in_name"
)

// AllSteps lists the steps in the order in which they are done.
var AllSteps = []Step{
	JoinVersions, CopyAttributes, PruneEmpty, Lift, ClusterInFront, Flatten, GroupBySource, EntriesAsSpans, Shrink, TimesInName, PadRoot,
}

// Mode is how to show a trace: a display mode with its modifiers.
type Mode struct {
	ID   uint32
	Name string
	// Scope is how far to look.
	Scope Scope
	// Steps are what is done to it.
	Steps []Step
	// CopyAttributes are what the step of that name copies.
	CopyAttributes []string
	// LiftFrom are the resources and classes of references that the step lift is about.
	LiftFrom []string
}

// Has is true if the step is one of the mode's.
func (m *Mode) Has(step Step) bool { return slices.Contains(m.Steps, step) }
