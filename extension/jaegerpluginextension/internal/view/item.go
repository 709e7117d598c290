// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// item is one thing that happened, as a reader understands it: an entry, or a request and what was observed of it.
type item struct {
	*model.Entry
	// observed is the change that the request made, as it was watched.
	observed *model.Entry
	// inferred is that nothing says so, but everything else can be ruled out.
	inferred bool
	// on is the object that it happened to.
	on *node
	// end is the later end of the two.
	end pcommon.Timestamp
	// generation is the object's before, 0 if it is not known.
	generation int64
	// prefix names the object where the item is not shown below it.
	prefix string
}

// title is what happened in a few words: "alice patch status (Conflict)", "ScalingReplicaSet", "updated by kubelet".
func (it *item) title() string {
	var b strings.Builder
	if it.prefix != "" {
		b.WriteString(it.prefix + ": ")
	}
	b.WriteString(it.name())
	if it.Source == model.Watch {
		for i, manager := range texts(it.Entry, attr.WatchManagers) {
			b.WriteString([]string{" by ", ", "}[min(i, 1)] + manager)
		}
	}
	if it.Is(attr.AuditNoop) {
		b.WriteString(" (changed nothing)")
	}
	if it.Is(attr.AuditDryRun) {
		b.WriteString(" (dry run)")
	}
	if n := max(it.Int(attr.FoldedCount), it.Int(attr.EventIncrease)); n > 1 {
		b.WriteString(" ×" + strconv.FormatInt(n, 10))
	}
	return b.String()
}

// name is that of the stored span, with a short form of who did it: the names of accounts are so long that a page shows nothing else.
func (it *item) name() string {
	name, user := it.Span.Name(), it.Text(attr.UserName)
	if what, ok := strings.CutPrefix(name, user+" "); ok && user != "" && it.Source == model.Audit {
		return text.ShortUser(user) + " " + what
	}
	return name
}

// texts returns a list of texts.
func texts(e *model.Entry, key string) (all []string) {
	if v, ok := e.Span.Attributes().Get(key); ok && v.Type() == pcommon.ValueTypeSlice {
		for _, one := range v.Slice().All() {
			all = append(all, one.AsString())
		}
	}
	return all
}
