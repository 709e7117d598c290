// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// Object is what rules are evaluated on.
type Object struct {
	identity.Object
	UID string

	content map[string]any
	// known is nil when content is all that rules look at; otherwise the parts of it that it says something about.
	known paths
}

// Facts are what an object's content says, apart from its owners. They do not change once made.
type Facts struct {
	Links    []Link
	Tags     []TagValue
	Contexts []TraceContext
}

// Empty is true when there is nothing to tell.
func (f *Facts) Empty() bool { return len(f.Links)+len(f.Tags)+len(f.Contexts) == 0 }

// Link leads from an object to another one.
type Link struct {
	Target
	// Role is what the target is to the object.
	Role  string
	Class string
	// Rule is the name of the rule that found it.
	Rule string
	// Place is true when the object belongs under the target if it has no owner.
	Place bool
}

// Target names an object. Kind or Resource may be empty, not both.
type Target struct {
	identity.Object
	Kind       string
	APIVersion string
	UID        string
}

// TagValue is a value that the object's span carries.
type TagValue struct {
	Attribute string
	// Value is a string, an int64, a float64, a bool or a []string.
	Value any
}

// TraceContext is a span of some other trace that an object names.
type TraceContext struct {
	Annotation string
	// Parent is the trace context as the header traceparent has it.
	Parent string
	Trace  pcommon.TraceID
	Span   pcommon.SpanID
}

// Outcome says how the evaluation of a rule ended.
type Outcome string

// The outcomes.
const (
	// Found: there are links, or a value.
	Found Outcome = "found"
	// Absent: the object lacks what the rule looks at, or the rule says that there is nothing.
	Absent Outcome = "absent"
	// Cut: there were more links than the limit allows.
	Cut Outcome = "cut"
	// Failed: the expression failed, cost too much or gave what is no object.
	Failed Outcome = "failed"
)

// Report is told of each evaluation. It must be safe for concurrent use.
type Report func(rule string, outcome Outcome, err error)
