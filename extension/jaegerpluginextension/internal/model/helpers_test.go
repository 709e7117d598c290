// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func graphOf(spans ...storedtest.Span) *Graph {
	g := NewGraph(Limits{})
	for _, s := range spans {
		g.Add(s.Traces())
	}
	return g
}

// picture draws a graph: each life below its owner, with its entries and links.
func picture(g *Graph) string {
	var b strings.Builder
	var draw func(life *Life, indent string)
	draw = func(life *Life, indent string) {
		fmt.Fprintf(&b, "%s%s", indent, life.Object.SpanName())
		if life.UID != "" {
			fmt.Fprintf(&b, " %s", life.UID)
		}
		if len(life.Object.Lives) > 1 {
			fmt.Fprintf(&b, " (%d of %d)", life.Number, len(life.Object.Lives))
		}
		if life.OwnerLife == nil && !life.Owner.IsZero() {
			fmt.Fprintf(&b, " of %s", life.Owner.SpanName())
		}
		b.WriteString("\n")
		var entry func(e *Entry, indent string)
		entry = func(e *Entry, indent string) {
			fmt.Fprintf(&b, "%s%s %s\n", indent, e.Source, e.Span.Name())
			for _, child := range e.Children {
				entry(child, indent+"  ")
			}
		}
		for _, e := range life.Entries {
			entry(e, indent+"  ")
		}
		for _, l := range life.Links {
			fmt.Fprintf(&b, "%s  -> %s %s\n", indent, strings.TrimSpace(l.Class+" "+l.Role), l.Target.SpanName())
		}
		for _, owned := range life.Owned {
			draw(owned, indent+"  ")
		}
	}
	for _, o := range g.Objects() {
		for _, life := range o.Lives {
			if life.OwnerLife == nil {
				draw(life, "")
			}
		}
	}
	for _, o := range g.Objects() {
		for _, warning := range o.Warnings {
			fmt.Fprintf(&b, "warning of %s: %s\n", o.SpanName(), warning)
		}
	}
	for _, warning := range g.Warnings() {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	return b.String()
}

func trim(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], "\t"))
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, strings.Repeat("\t", indent))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\t\n") + "\n"
}
