// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

const clock = "15:04:05.000"

// writeTree draws a trace: objects nested by owner, and under each what was done to it, by whom, and with what result.
func writeTree(w io.Writer, trace testbed.Trace) {
	drawn := map[string]bool{}
	for _, root := range trace.Roots() {
		writeObject(w, trace, root, "", "", drawn)
	}
}

// writeObject draws a span and everything below it. first precedes its own line and rest all others.
func writeObject(w io.Writer, trace testbed.Trace, span testbed.Span, first, rest string, drawn map[string]bool) {
	fmt.Fprintf(w, "%s%s\n", first, describe(span))
	if drawn[span.ID] {
		return // spans that are each other's parents
	}
	drawn[span.ID] = true
	var objects []testbed.Span
	children := trace.Children(span)
	for _, child := range children {
		if isObject(child) {
			objects = append(objects, child)
		}
	}
	stem := rest + "│  "
	if len(objects) == 0 {
		stem = rest + "   "
	}
	for _, child := range children {
		if !isObject(child) {
			writeObject(w, trace, child, stem, stem, drawn)
		}
	}
	for i, object := range objects {
		if i < len(objects)-1 {
			writeObject(w, trace, object, rest+"├─ ", rest+"│  ", drawn)
		} else {
			writeObject(w, trace, object, rest+"└─ ", rest+"   ", drawn)
		}
	}
}

func describe(s testbed.Span) string {
	switch text(s.Tags, attr.SpanType) {
	case attr.SpanTypeObject:
		return s.Operation
	case attr.SpanTypeAudit:
		return describeRequest(s)
	default:
		return s.Start.UTC().Format(clock) + "  " + s.Operation
	}
}

func describeRequest(s testbed.Span) string {
	what := text(s.Tags, attr.AuditVerb)
	if sub := text(s.Tags, attr.AuditSubresource); sub != "" {
		what += " " + sub
	}
	line := fmt.Sprintf("%s  %-37s %-14s %s", s.Start.UTC().Format(clock),
		strings.TrimPrefix(text(s.Tags, attr.UserName), "system:serviceaccount:"), what, text(s.Tags, attr.HTTPResponseStatus))
	if reason := text(s.Tags, attr.ErrorType); reason != "" {
		line += " " + reason
	}
	if s.Tags[attr.AuditNoop] == true {
		line += " (changed nothing)"
	}
	return line
}

// summarize tells a trace in one line.
func summarize(trace testbed.Trace) string {
	roots := trace.Roots()
	if len(roots) == 0 {
		return trace.ID
	}
	objects := len(trace.Find(isObject))
	root := roots[0]
	where := cmp.Or(text(root.Process, attr.Namespace), "(cluster-scoped)")
	return fmt.Sprintf("%s  %-12s %-20s %-40s %3d objects %4d entries  from %s", trace.ID, text(root.Process, attr.ClusterName), where,
		root.Operation, objects, len(trace.Spans)-objects, root.Start.UTC().Format(time.DateTime))
}

func isObject(s testbed.Span) bool { return text(s.Tags, attr.SpanType) == attr.SpanTypeObject }

// text returns a tag of any type as text, and "" for one that is not there.
func text(tags map[string]any, key string) string {
	if value, ok := tags[key]; ok {
		return fmt.Sprint(value)
	}
	return ""
}
