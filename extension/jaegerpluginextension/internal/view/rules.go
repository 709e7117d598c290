// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// rule is a change to the tree. Those without a step are part of every mode.
type rule struct {
	step  mode.Step
	apply func(*tree)
}

// rules are all there are, in their order.
var rules = []rule{
	{apply: (*tree).selectObjects},                             // which objects, and what is below what
	{apply: (*tree).listEntries},                               // what happened to each in the time range
	{step: mode.JoinVersions, apply: (*tree).joinVersions},     // needs entries in order of time
	{step: mode.CopyAttributes, apply: (*tree).copyAttributes}, // while all entries are with their objects
	{apply: (*tree).limitEntries},                              // after those of one version are one
	{step: mode.PruneEmpty, apply: (*tree).pruneEmpty},         // before flatten, which leaves all objects empty
	{apply: (*tree).plantRoot},                                 // needs to know what is left; from here on there is one root
	{step: mode.Lift, apply: (*tree).lift},                     // an object that is empty then is dropped
	{step: mode.ClusterInFront, apply: (*tree).clusterInFront}, // while parents are those of objects
	{apply: (*tree).noteReferences},                            // needs to know what is shown
	{step: mode.Flatten, apply: (*tree).flatten},               // before entries become spans, which it has not to move
	{step: mode.GroupBySource, apply: (*tree).groupBySource},
	{step: mode.EntriesAsSpans, apply: (*tree).entriesAsSpans},
	{apply: (*tree).foreignAsSpans},                      // below whatever has the entry by now
	{step: mode.Shrink, apply: (*tree).shrink},           // needs all spans
	{apply: (*tree).coverChildren},                       // no object's span is shorter than what is in it
	{step: mode.TimesInName, apply: (*tree).timesInName}, // tells what happened, without the padding
	{step: mode.PadRoot, apply: (*tree).padRoot},
	{apply: (*tree).warnOnRoot},
}

// Options say what to show of a graph.
type Options struct {
	// TraceID is the ID that was asked for, which all spans get.
	TraceID pcommon.TraceID
	// From and To bound the time that is shown: From is in it, To is not. Zero for no bound.
	From, To time.Time
	// Limits bound the size of the result.
	Limits Limits
	// DisplayID returns the trace ID that shows another object, to link to. Without it there are no such links.
	DisplayID func(identity.ID) pcommon.TraceID
}

// Limits bound a view. What is beyond them is left out with a warning. Zero is no limit.
type Limits struct {
	// MaxObjects is how many objects are shown.
	MaxObjects int
	// MaxLinked is how many of them are shown because of a reference.
	MaxLinked int
	// MaxEntries is how many entries are shown. The newest of each object come first.
	MaxEntries int
}

// Render shows an object as the mode says. A graph that does not have the object makes an empty result. The result shares
// nothing with the graph.
func Render(g *model.Graph, object identity.ID, m mode.Mode, o Options) ptrace.Traces {
	focus, ok := g.Object(object)
	if !ok {
		return ptrace.NewTraces()
	}
	t := &tree{graph: g, mode: m, options: o, focus: focus}
	for _, r := range rules {
		if r.step == "" || m.Has(r.step) {
			r.apply(t)
		}
	}
	return t.write()
}
