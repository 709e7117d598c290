// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
)

// Variables of expressions.
const (
	// varObject is the object's content.
	varObject = "object"
	// varSelf is what the object is called: cluster, group, resource, namespace, name and uid.
	varSelf = "self"
	// varSettings are those of a preset: cluster and namespace.
	varSettings = "settings"
)

// newEnvironment declares what expressions may use. Versions are pinned: what a rule means does not change with a library.
func newEnvironment() (*cel.Env, error) {
	env, err := cel.NewEnv(
		cel.Variable(varObject, cel.DynType),
		cel.Variable(varSelf, cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable(varSettings, cel.MapType(cel.StringType, cel.StringType)),
		cel.OptionalTypes(cel.OptionalTypesVersion(2)),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		ext.Strings(ext.StringsVersion(4)),
		ext.Lists(ext.ListsVersion(3), ext.ListsMaxRangeSize(maxRange)),
		ext.Bindings(ext.BindingsVersion(1)),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing CEL: %w", err)
	}
	return env, nil
}

const (
	// maxExpression is the length of an expression in characters.
	maxExpression = 8192
	maxRange      = 1000
)

// program is a compiled expression.
type program struct {
	cel.Program
	// reads are the parts of the object that it looks at.
	reads paths
}

func compile(env *cel.Env, expression string, costLimit uint64) (program, error) {
	ast, issues := env.Compile(expression)
	if err := issues.Err(); err != nil {
		return program{}, err
	}
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit))
	if err != nil {
		return program{}, err
	}
	return program{p, readPaths(ast.NativeRep().Expr())}, nil
}

// variables resolves names for an expression.
type variables struct {
	object   *Object
	settings map[string]string
}

// ResolveName implements cel.Activation.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case varObject:
		return v.object.content, true
	case varSelf:
		o := v.object
		return map[string]string{
			fieldCluster: o.Cluster, fieldGroup: o.Group, fieldResource: o.Object.Resource,
			fieldNamespace: o.Namespace, fieldName: o.Name, fieldUID: o.UID,
		}, true
	case varSettings:
		return v.settings, true
	default:
		return nil, false
	}
}

// Parent implements cel.Activation.
func (*variables) Parent() cel.Activation { return nil }
