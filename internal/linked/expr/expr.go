// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package expr has the names of github.com/expr-lang/expr that the binary's other modules use, and refuses all expressions.
package expr

import (
	"errors"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// Option would say how to compile.
type Option func()

// AllowUndefinedVariables is without effect.
func AllowUndefinedVariables() Option { return nil }

// AsBool is without effect.
func AsBool() Option { return nil }

// Patch is without effect.
func Patch(ast.Visitor) Option { return nil }

// Compile always fails.
func Compile(string, ...Option) (*vm.Program, error) {
	return nil, errors.New("this binary is built without expressions: use OTTL conditions instead")
}

// Run always fails.
func Run(program *vm.Program, env any) (any, error) { return vm.Run(program, env) }
