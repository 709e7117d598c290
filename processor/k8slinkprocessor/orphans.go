// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// orphans remembers the objects that were shown as roots for want of knowledge. When an owner becomes known after all, the
// object's span in the owner's trace links to the one that it had before.
type orphans struct {
	mu   sync.Mutex // guards keys
	keys *simplelru.LRU[orphan, struct{}]
}

// orphan is a life of an object in a window. The UID is empty if it is not known which life it was.
type orphan struct {
	id     identity.ID
	window int64
	uid    string
}

func newOrphans(bound int) (*orphans, error) {
	keys, err := simplelru.NewLRU[orphan, struct{}](bound, nil)
	if err != nil {
		return nil, fmt.Errorf("making the table of orphans: %w", err)
	}
	return &orphans{keys: keys}, nil
}

func (o *objectSpan) orphan() orphan { return orphan{o.node.ID, o.window.Unix(), o.node.UID} }

// mark tells which of the spans are of objects that were orphans in their window.
func (o *orphans) mark(spans []objectSpan) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys.Len() == 0 {
		return
	}
	for i := range spans {
		if !spans[i].parent.IsEmpty() {
			key := spans[i].orphan()
			spans[i].late = o.keys.Contains(key) || o.keys.Contains(orphan{key.id, key.window, ""})
		}
	}
}

// orphansOf returns the orphans among the spans.
func orphansOf(spans []objectSpan) (found []orphan) {
	for i := range spans {
		if _, known := spans[i].node.Owners(); !known && spans[i].parent.IsEmpty() {
			found = append(found, spans[i].orphan())
		}
	}
	return found
}

func (o *orphans) add(found []orphan) {
	if len(found) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range found {
		key.uid = strings.Clone(key.uid) // so that no batch is kept alive by it
		o.keys.Add(key, struct{}{})
	}
}

// linkBack links to the span that the object had as its own root.
func (o *objectSpan) linkBack(span ptrace.Span) {
	trace := identity.TraceID(o.node.Object, o.window)
	appendLink(span, trace, identity.ObjectSpanID(trace, o.node.ID))
	span.Attributes().PutStr(attr.OwnTrace, hex.EncodeToString(trace[:]))
}
