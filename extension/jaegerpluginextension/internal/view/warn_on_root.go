// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import "slices"

// warnOnRoot puts what is wrong with the whole on the root.
func (t *tree) warnOnRoot() {
	t.root().warnings = slices.Concat(t.graph.Warnings(), t.root().warnings)
}
