// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package text draws a displayed trace as a tree for a terminal: objects below their owners, and below each object when, who
// did what, with which result, and what that changed. It reads what package view makes, of any mode.
//
// Whatever names and messages hold, nothing but printable text, line feeds and, when asked for, colors come out.
package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"
