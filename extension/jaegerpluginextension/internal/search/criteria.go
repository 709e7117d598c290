// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package search // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/search"

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// short are the tags for what is asked for most often, and the attributes that they stand for.
var short = map[string]string{
	"cluster":   attr.ClusterName,
	"group":     attr.ObjectGroup,
	"resource":  attr.ObjectResource,
	"kind":      attr.ObjectKind,
	"namespace": attr.Namespace,
	"name":      attr.ObjectName,
	"uid":       attr.ObjectUID,
}

// always are attributes that every span of an object has: a search for these alone finds all its traces.
var always = map[string]bool{
	attr.ClusterName: true, attr.ObjectGroup: true, attr.ObjectResource: true, attr.Namespace: true, attr.ObjectName: true, attr.ObjectID: true,
}

// tagError is how Jaeger asks for spans that failed.
const tagError = "error"

// Criteria are what a span has to be for its object to be found.
type Criteria struct {
	// Cluster is where to search; everywhere if empty.
	Cluster string
	// Start and End bound when the span was.
	Start, End time.Time

	tags   []tag
	failed *bool
}

type tag struct{ key, value string }

// Parse reads a query. The error says what is wrong with it.
func Parse(q jaegerstorage.Query, lookback time.Duration, now time.Time) (Criteria, error) {
	c := Criteria{Cluster: q.Operation, Start: q.StartMin, End: q.StartMax}
	if c.End.IsZero() {
		c.End = now
	}
	if c.Start.IsZero() {
		c.Start = c.End.Add(-lookback)
	}
	if !c.Start.Before(c.End) {
		return c, fmt.Errorf("the time range ends at %s, before it starts at %s", c.End.UTC().Format(time.RFC3339), c.Start.UTC().Format(time.RFC3339))
	}
	for key, value := range q.Attributes.All() {
		text := value.AsString()
		if long, ok := short[key]; ok {
			key = long
		}
		switch key {
		case attr.ClusterName:
			if c.Cluster != "" && c.Cluster != text {
				return c, fmt.Errorf("the tag cluster is %q, but the operation is %q", text, c.Cluster)
			}
			c.Cluster = text
		case attr.ObjectResource:
			if kind, lower := text, strings.ToLower(text); kind != lower {
				return c, fmt.Errorf("a resource is lower case and plural, such as deployments: got %q; search by the tag kind for a kind", text)
			}
			c.tags = append(c.tags, tag{key, text})
		case tagError:
			failed := text == "true"
			c.failed = &failed
		default:
			c.tags = append(c.tags, tag{key, text})
		}
	}
	return c, nil
}

// Exhaustive is true if every span of an object that has one such span is such a span.
func (c *Criteria) Exhaustive() bool {
	for _, t := range c.tags {
		if !always[t.key] {
			return false
		}
	}
	return c.failed == nil
}

// query is what the storage is asked for in one cluster. It finds too much rather than too little.
func (c *Criteria) query(cluster string, window time.Duration, limit int) jaegerstorage.Query {
	q := jaegerstorage.NewQuery()
	q.Service = cluster
	for _, t := range c.tags {
		if t.value != "" { // several storages have no index of empty values
			q.Attributes.PutStr(t.key, t.value)
		}
	}
	if c.failed != nil && *c.failed {
		q.Attributes.PutBool(tagError, true)
	}
	q.StartMin, q.StartMax = c.Start.Add(-window), c.End
	q.Limit = limit
	return q
}

// rest is what a resource leaves to be matched by its spans. An object of the core group, or of no namespace, need not say so.
func (c *Criteria) rest(resource pcommon.Map) []tag {
	var rest []tag
	for _, t := range c.tags {
		_, present := resource.Get(t.key)
		if none := t.value == "" && !present && always[t.key]; !none && !has(resource, t) {
			rest = append(rest, t)
		}
	}
	return rest
}

func has(attrs pcommon.Map, t tag) bool {
	v, ok := attrs.Get(t.key)
	return ok && v.AsString() == t.value
}

// match is true of a span that has all that its resource has not.
func (c *Criteria) match(span ptrace.Span, rest []tag) bool {
	start, end := span.StartTimestamp().AsTime(), span.EndTimestamp().AsTime()
	if start.After(c.End) || start.Before(c.Start) && end.Before(c.Start) {
		return false
	}
	if c.failed != nil && (span.Status().Code() == ptrace.StatusCodeError) != *c.failed {
		return false
	}
	for _, t := range rest {
		if !has(span.Attributes(), t) && !inEvents(span, t) {
			return false
		}
	}
	return true
}

func inEvents(span ptrace.Span, t tag) bool {
	for _, event := range span.Events().All() {
		if has(event.Attributes(), t) {
			return true
		}
	}
	return false
}
