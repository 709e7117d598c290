// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// joinVersions makes one item of a request and the change that was observed of it, which have the resourceVersion in common,
// at the time of the request. Of several requests that answered with one resourceVersion the first made it, the others changed
// nothing. A deletion has no resourceVersion that a request could tell: it belongs to the last request to delete before it.
// Events keep items of their own: they are told later, by another component.
func (t *tree) joinVersions() {
	t.each(func(n *node) {
		if n.life != nil {
			n.joinVersions()
		}
	})
}

// afterDeletion is how long after the request an object without finalizers is gone at the latest.
const afterDeletion = pcommon.Timestamp(time.Minute)

func (n *node) joinVersions() {
	made := make(map[string]*item, len(n.items))
	for _, it := range n.items {
		if it.Source != model.Audit || !changed(it) {
			continue
		}
		version := it.Version
		if version == "" { // the audit level did not tell it, but k8slink may have concluded it
			version = it.Text(attr.DiffResourceVersion)
		}
		if _, ok := made[version]; !ok && version != "" {
			made[version] = it
		}
	}
	left := n.items[:0]
	var deletion *item
	var generation int64
	for _, it := range n.items {
		if g := it.Int(attr.ObjectGeneration); g != 0 {
			it.generation, generation = generation, g
		}
		if it.Source == model.Audit && it.Text(attr.AuditVerb) == "delete" && !it.Failed() && !it.Is(attr.AuditDryRun) {
			deletion = it
		}
		request := (*item)(nil)
		if it.Source == model.Watch && it.Version != "" {
			request = made[it.Version]
			if request == nil && it.Span.Name() == "deleted" && deletion != nil && it.Start-deletion.Start < afterDeletion {
				request = deletion
			}
		}
		if request == nil || request.observed != nil {
			left = append(left, it)
			continue
		}
		request.observed = it.Entry
		request.end = max(request.end, it.End)
	}
	n.items = left
}

// changed is true of requests that can have made a resourceVersion.
func changed(it *item) bool {
	if it.Failed() || it.Is(attr.AuditNoop) || it.Is(attr.AuditDryRun) {
		return false
	}
	switch it.Text(attr.AuditVerb) {
	case "get", "list", "watch":
		return false
	}
	return true
}
