// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package ast has the names of github.com/expr-lang/expr/ast that the binary's other modules use. There are no expressions.
package ast

// Node would be a part of an expression.
type Node any

// CallNode would be a call of a function.
type CallNode struct{ Callee Node }

// IdentifierNode would be a name.
type IdentifierNode struct{ Value string }

// Visitor would change an expression.
type Visitor interface{ Visit(node *Node) }
