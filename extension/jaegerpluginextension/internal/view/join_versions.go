// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/diffjoin"
)

// joinVersions makes one item of a request and the change that was observed of it, at the time of the request. Those belong together that have
// the resourceVersion in common: of several requests that answered with one the first made it, the others changed nothing. A deletion has no
// resourceVersion that a request could tell: it belongs to the last request to delete before it. Where requests tell no resourceVersion, it is
// inferred which made a change, by the rule by which k8slink does it, unless it is ambiguous.
// Events keep items of their own: they are told later, by another component.
func (t *tree) joinVersions() {
	t.each(func(n *node) {
		if n.life != nil {
			n.joinVersions()
		}
	})
}

const (
	// afterDeletion is how long after the request an object without finalizers is gone at the latest.
	afterDeletion = pcommon.Timestamp(time.Minute)

	// joinTolerance is what k8slink has as joins::tolerance unless it is told otherwise.
	joinTolerance = 2 * time.Second
)

func (n *node) joinVersions() {
	made := make(map[string]*item, len(n.items))
	for _, it := range n.items {
		if it.Source != model.Audit || !changed(it) {
			continue
		}
		if version := versionMade(it.Entry); version != "" && made[version] == nil {
			made[version] = it
		}
	}
	var deletion *item
	var generation int64
	observed := map[*item]bool{} // that are part of other items now
	for _, it := range n.items {
		if g := it.Int(attr.ObjectGeneration); g != 0 {
			it.generation, generation = generation, g
		}
		if it.Source == model.Audit && it.Text(attr.AuditVerb) == "delete" && !it.Failed() && !it.Is(attr.AuditDryRun) {
			deletion = it
		}
		if it.Source != model.Watch || it.Version == "" {
			continue
		}
		request := made[it.Version]
		if request == nil && it.Span.Name() == "deleted" && deletion != nil && it.Start-deletion.Start < afterDeletion {
			request = deletion
		}
		if request != nil && request.observed == nil {
			request.observe(it)
			observed[it] = true
		}
	}
	n.inferJoins(made, observed)
	n.items = slices.DeleteFunc(n.items, func(it *item) bool { return observed[it] })
}

func (it *item) observe(change *item) {
	it.observed = change.Entry
	it.end = max(it.end, change.End)
}

// inferJoins joins the changes that are left to the requests that tell no version. All that is known of the object counts for what is ambiguous,
// and not only what is shown.
func (n *node) inferJoins(made map[string]*item, observed map[*item]bool) {
	shown := make(map[*model.Entry]*item)
	for _, it := range n.items {
		if it.Source == model.Watch && !observed[it] || it.Source == model.Audit && it.observed == nil {
			shown[it.Entry] = it
		}
	}
	var requests []diffjoin.Request
	var changes []diffjoin.Change
	var asked, seen []*model.Entry
	for _, e := range n.life.Entries {
		switch {
		case e.Source == model.Audit && versionMade(e) == "":
			if q, ok := diffjoin.ReadRequest(e.Span); ok {
				q.UID = e.UID
				requests, asked = append(requests, q), append(asked, e)
			}
		case e.Source == model.Watch && made[e.Version] == nil:
			if c, _, ok := diffjoin.ReadChange(e.Span); ok {
				c.UID = e.UID
				changes, seen = append(changes, c), append(seen, e)
			}
		}
	}
	if len(requests) == 0 || len(changes) == 0 {
		return
	}
	for _, pair := range (diffjoin.Rule{Tolerance: joinTolerance}).Pairs(requests, changes) {
		request, change := shown[asked[pair.Request]], shown[seen[pair.Change]]
		if request != nil && change != nil {
			request.observe(change)
			request.inferred = true
			observed[change] = true
		}
	}
}

// versionMade is the resourceVersion after a request: the audit level may not tell it, but k8slink may have concluded it.
func versionMade(e *model.Entry) string {
	if e.Version != "" {
		return e.Version
	}
	return e.Text(attr.DiffResourceVersion)
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
