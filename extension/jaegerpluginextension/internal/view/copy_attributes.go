// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
)

// copyAttributes copies attributes of entries, such as the node that a Pod was put on, to the object. The newest counts.
func (t *tree) copyAttributes() {
	if len(t.mode.CopyAttributes) == 0 {
		return
	}
	t.each(func(n *node) {
		for _, key := range t.mode.CopyAttributes {
			for i := len(n.items) - 1; i >= 0; i-- {
				if it := n.items[i]; it.Source != model.Foreign && !it.Failed() {
					if v, ok := it.Span.Attributes().Get(key); ok && v.Type() == pcommon.ValueTypeStr {
						n.put(key, v.Str())
						break
					}
				}
			}
		}
	})
}
