// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
)

// groupBySource gives the items of each source a span of their own below the object's.
func (t *tree) groupBySource() {
	t.each(func(n *node) {
		if n.kind == virtualNode || len(n.items) == 0 {
			return
		}
		groups, foreign := []*node(nil), []*item(nil)
		for _, source := range [...]model.Source{model.Audit, model.Event, model.Watch} {
			group := newGroup(n.object, "source", string(source))
			for _, it := range n.items {
				if it.Source == source {
					group.items = append(group.items, it)
				}
			}
			if len(group.items) > 0 {
				groups = append(groups, group)
			}
		}
		for _, it := range n.items {
			if it.Source == model.Foreign {
				foreign = append(foreign, it)
			}
		}
		n.items = foreign
		n.children = append(groups, n.children...)
	})
}
