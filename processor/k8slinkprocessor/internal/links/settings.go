// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

// Settings is what Compile makes rules from.
type Settings struct {
	// Presets are names of shipped lists of rules.
	Presets []string
	// PresetSettings are for presets, by their names.
	PresetSettings map[string]PresetSettings
	// Rules are the user's own.
	Rules []Rule
	// Tags are values that the object's span is to carry.
	Tags []Tag
	// ParentAnnotation is the annotation whose value names another object; empty for none.
	ParentAnnotation string
	// PlaceParents places objects under what ParentAnnotation names, as Rule.Place does.
	PlaceParents bool
	// TraceContexts are annotations whose value is a trace context.
	TraceContexts []string
	// MaxLinks bounds the links of an object, and separately its trace contexts.
	MaxLinks int
	// CostLimit bounds what one expression may cost, in CEL's own unit.
	CostLimit uint64
}

// PresetSettings says what the objects themselves do not: where a control plane is that stands above several clusters.
type PresetSettings struct {
	// Cluster is the name of the cluster that the preset's links lead to. A * in it stands for the name that the object
	// itself gives.
	Cluster string `mapstructure:"cluster"`
	// Namespace is the namespace in which the preset looks for objects that are referred to by name alone.
	Namespace string `mapstructure:"namespace"`
}

// Rule derives links from the objects that it matches.
type Rule struct {
	// Name is what errors, metrics and the attribute kelemetry.link.rule call it.
	Name string `mapstructure:"name"`
	// Match says which objects the rule is for.
	Match Match `mapstructure:"match"`
	// Target is a CEL expression: a map that names an object, a list of such maps, or null.
	Target string `mapstructure:"target"`
	// Role is what the target is to the object: "parent", "child" or another lower-case word.
	Role string `mapstructure:"role"`
	// Class groups links for display.
	Class string `mapstructure:"class"`
	// Place puts the object under the target in the tree if the role is parent and the object has no owner.
	Place bool `mapstructure:"place"`
}

// Match selects objects. In all fields * stands for any text.
type Match struct {
	// Group is the API group; empty for the core group.
	Group string `mapstructure:"group"`
	// Resource is the plural.
	Resource string `mapstructure:"resource"`
	// Namespace and Cluster are no condition when they are empty.
	Namespace string `mapstructure:"namespace"`
	Cluster   string `mapstructure:"cluster"`
}

// Tag copies a value from the objects that it matches to their spans.
type Tag struct {
	// Match says which objects the tag is for.
	Match Match `mapstructure:"match"`
	// Attribute is the span attribute.
	Attribute string `mapstructure:"attribute"`
	// Value is a CEL expression: a text, a number, true or false, a list of texts, or null.
	Value string `mapstructure:"value"`
}

// Roles with a mirror image.
const (
	RoleParent = "parent"
	RoleChild  = "child"
)

// Mirrored is the role as seen from the target.
func Mirrored(role string) string {
	switch role {
	case RoleParent:
		return RoleChild
	case RoleChild:
		return RoleParent
	default:
		return role
	}
}
