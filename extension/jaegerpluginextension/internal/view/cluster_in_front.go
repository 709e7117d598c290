// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

// clusterInFront writes the cluster in front of the names of objects that are in another one than the object above them,
// and of the root's if there are several clusters.
func (t *tree) clusterInFront() {
	several := false
	t.each(func(n *node) {
		for _, child := range n.children {
			if cluster := child.object.Cluster; cluster != n.object.Cluster {
				several = true
				child.name = cluster + ": " + child.name
			}
		}
	})
	if several {
		t.root().name = t.root().object.Cluster + ": " + t.root().name
	}
}
