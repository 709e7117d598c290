// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Options say how to draw. The zero value draws 80 columns without colors.
type Options struct {
	// Width is how many columns a line may have, 80 if it is 0. Below 60 it is 60.
	Width int
	// Color switches the escape sequences of ANSI terminals on.
	Color bool
	// MaxDiffs is how many changes are drawn below one entry, 10 if it is 0.
	MaxDiffs int
	// Brief leaves out what repeats.
	Brief bool
}

const (
	usualWidth = 80
	leastWidth = 60
	usualDiffs = 10
)

// Write draws a displayed trace. Of an empty one nothing is drawn.
func Write(w io.Writer, td ptrace.Traces, o Options) error {
	p := &printer{w: bufio.NewWriter(w), options: o, children: map[pcommon.SpanID][]span{}}
	p.options.Width = max(cmp.Or(o.Width, usualWidth), leastWidth)
	p.options.MaxDiffs = cmp.Or(max(o.MaxDiffs, 0), usualDiffs)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				p.children[s.ParentSpanID()] = append(p.children[s.ParentSpanID()], span{s, rs.Resource().Attributes()})
			}
		}
	}
	for _, children := range p.children {
		slices.SortStableFunc(children, func(a, b span) int { return cmp.Compare(a.StartTimestamp(), b.StartTimestamp()) })
	}
	for _, root := range p.children[pcommon.SpanID{}] {
		p.namespace, p.cluster = str(root.resource, keyNamespace), str(root.resource, keyCluster)
		p.title(root)
		p.tree(root, "", "", 0)
	}
	return p.w.Flush()
}

// span is a span with its resource.
type span struct {
	ptrace.Span
	resource pcommon.Map
}

// printer draws one trace.
type printer struct {
	w        *bufio.Writer
	options  Options
	children map[pcommon.SpanID][]span
	// day is that of the line above; namespace and cluster are the root's.
	day, namespace, cluster string
}

// maxDepth ends what has no end: spans that are each other's parents, which views do not have.
const maxDepth = 100

// tree draws a span and what is below it. first precedes its own line and rest all others.
func (p *printer) tree(s span, first, rest string, depth int) {
	p.line(first, heading(s, p.namespace, p.cluster)...)
	entries, below := p.contents(s)
	if p.options.Brief {
		entries = brief(entries)
	}
	stem := rest + "   "
	if len(below) > 0 {
		stem = rest + "│  "
	}
	p.notes(s, stem)
	column := p.whoColumn(entries)
	for _, e := range entries {
		p.entry(e, stem, column)
		p.trees(e.below, stem+strings.Repeat(" ", timeColumn), depth)
	}
	p.trees(below, rest, depth)
}

func (p *printer) trees(below []span, stem string, depth int) {
	if depth == maxDepth {
		return
	}
	told := -1 // the sibling before that is told in full
	for i, child := range below {
		first, rest := stem+"├─ ", stem+"│  "
		if i == len(below)-1 {
			first, rest = stem+"└─ ", stem+"   "
		}
		if p.options.Brief && told >= 0 && p.alike(child, below[told]) {
			p.aside(child, first)
			continue
		}
		p.tree(child, first, rest, depth+1)
		told = i
	}
}

// contents are the entries of a span, be they logs or spans of their own, in order of time, and the other spans below it,
// of which those that group its entries come first.
func (p *printer) contents(s span) (entries []entry, below []span) {
	for _, event := range s.Events().All() {
		if _, ok := event.Attributes().Get(keySource); ok {
			entries = append(entries, entryOfLog(event))
		}
	}
	var groups, others []span
	for _, child := range p.children[s.SpanID()] {
		switch e, ok := entryOfSpan(child); {
		case ok:
			e.below = p.children[child.SpanID()]
			entries = append(entries, e)
		case str(child.Attributes(), keyGroup) == keySource:
			groups = append(groups, child)
		default:
			others = append(others, child)
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.at.Compare(b.at) })
	return entries, append(groups, others...)
}

// title says of which cluster and time the tree is, and how much is in it.
func (p *printer) title(root span) {
	objects, entries, warnings := 0, 0, 0
	first, last := root.EndTimestamp().AsTime(), root.StartTimestamp().AsTime()
	stack, seen := []span{root}, map[pcommon.SpanID]bool{}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[s.SpanID()] {
			continue
		}
		seen[s.SpanID()] = true
		if isObject(s) {
			objects++
		}
		warnings += len(strs(s.Attributes(), keyWarnings))
		found, below := p.contents(s)
		entries += len(found)
		for _, e := range found {
			first, last = earlier(first, e.at), later(last, e.at)
			stack = append(stack, e.below...)
		}
		stack = append(stack, below...)
	}
	if entries == 0 {
		first, last = last, first
	}
	p.day = first.Format(time.DateOnly)
	until := last.Format(time.TimeOnly)
	if day := last.Format(time.DateOnly); day != p.day {
		until = day + " " + until
	}
	p.line("", piece{dim, "cluster " + cmp.Or(p.cluster, "unknown") + ", " + p.day + " " + first.Format(time.TimeOnly) + " – " + until + " UTC"})
	size := plural(objects, "object", "objects") + ", " + plural(entries, "entry", "entries")
	if warnings > 0 {
		size += ", " + plural(warnings, "warning", "warnings")
	}
	p.line("", piece{dim, size})
	p.line("")
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
