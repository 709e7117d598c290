// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// readOwnTraces reads the traces that owned objects may have had before their owners were known. Nothing leads there from their
// owners' traces, but the IDs can be computed. All of them are one query, because most of those that are only likely do not exist.
func (g *gathering) readOwnTraces(ctx context.Context, wants []view.Want) (read bool) {
	var named, likely []pcommon.TraceID
	for _, want := range wants {
		object, ok := g.graph.Object(want.Ref.ID)
		if !ok || want.Relation != view.Owned || g.asked[want.Ref.ID] {
			continue
		}
		g.asked[want.Ref.ID] = true
		n, l := object.OwnTraces(identity.Window(g.Window))
		named, likely = append(named, n...), append(likely, l...)
	}
	// Those that are known to exist come first.
	ids := slices.Concat(named, likely)
	if over := len(ids) - g.ownTraces; over > 0 {
		g.LeftOut(ctx, LeftTraces, over)
		if missing := len(named) - g.ownTraces; missing > 0 {
			g.graph.Warn(fmt.Sprintf("what happened to %d owned objects before their owners were known was not read, because a view has a limit", missing))
		}
		ids = ids[:g.ownTraces]
	}
	g.ownTraces -= len(ids)
	if len(ids) == 0 {
		return false
	}
	params := make([]jaegerstorage.TraceParams, len(ids))
	for i, id := range ids {
		params[i].TraceID = id
	}
	for td, err := range g.Storage.GetTraces(ctx, params) {
		if err != nil {
			g.LeftOut(ctx, LeftFailed, 1)
			g.graph.Warn("the storage could not be asked for what happened to owned objects before their owners were known: " + Reason(err))
			return read
		}
		read = true
		g.graph.Add(td)
		if g.left.Add(-int64(td.SpanCount())) <= 0 {
			g.tooMany(ctx)
			return read
		}
	}
	return read
}
