// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"encoding/hex"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// OwnTraces are traces of which an object with an owner was, or may have been, the root, before its owner was known: named are
// those that its spans tell of, and likely, if nothing tells of its creation, those of the window in which it is first heard of
// and of the one before.
func (o *Object) OwnTraces(window identity.Window) (named, likely []pcommon.TraceID) {
	first := latest
	for _, s := range o.spans {
		first = min(first, s.start)
		var id pcommon.TraceID
		if hex.DecodedLen(len(s.ownTrace)) != len(id) || len(s.ownTrace)%2 != 0 {
			continue
		}
		if _, err := hex.Decode(id[:], []byte(s.ownTrace)); err == nil && !id.IsEmpty() && !slices.Contains(named, id) {
			named = append(named, id)
		}
	}
	for _, e := range o.all {
		if creates(e) || e.Source == Watch && e.Span.Name() == nameCreated {
			return named, nil
		}
		first = min(first, e.Start)
	}
	if o.Resource == "" {
		return named, nil
	}
	at := window.Start(first.AsTime())
	for _, start := range []time.Time{at, window.Start(at.Add(-1))} {
		id := identity.TraceID(o.Object, start)
		if !slices.Contains(named, id) {
			likely = append(likely, id)
		}
	}
	return named, likely
}

// nameCreated is the name of the watch span of an object that came into being.
const nameCreated = "created"
