// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package vm has the names of github.com/expr-lang/expr/vm that the binary's other modules use. Nothing can be run.
package vm

import "errors"

// Program would be a compiled expression. There is none, because nothing compiles.
type Program struct{}

// VM would run programs.
type VM struct{}

// Run always fails.
func (*VM) Run(*Program, any) (any, error) {
	return nil, errors.New("this binary is built without expressions")
}

// Run always fails.
func Run(program *Program, env any) (any, error) { return new(VM).Run(program, env) }
