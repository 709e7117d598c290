// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"k8s.io/client-go/tools/cache"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/internal/redact"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadata"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

// comparer is what all watchers of a receiver use to read and to compare objects. It does not change.
type comparer struct {
	redactor  *redact.Redactor
	differ    *diff.Differ
	verbose   bool
	started   time.Time
	now       func() time.Time
	telemetry *metadata.TelemetryBuilder
	// emit hands a change to the pipeline. It waits while the pipeline is behind.
	emit func(context.Context, *change) error
}

// watcher is the store behind the reflector of one resource: it keeps the last states and tells what changed. The
// reflector calls it from one goroutine at a time, except for read.
type watcher struct {
	*comparer
	target   target
	filter   *filter
	table    *states.Table
	schema   *diff.Schema
	resource attribute.Set
	// onChange is called after every change, whether it is told or not.
	onChange func()
	// onListed is called when all objects have been listed: whatever happens to them from then on is told.
	onListed func()

	ctx context.Context //nolint:containedctx // of the watcher's run: the reflector's store has none
	// synced is set when all objects have been listed once.
	synced atomic.Bool
	// relearn is set until then if the states that there are were kept in another version of the resource.
	relearn atomic.Bool
}

var (
	_ cache.ReflectorStore         = (*watcher)(nil)
	_ cache.ReflectorBookmarkStore = (*watcher)(nil)
)

func newWatcher(ctx context.Context, c *comparer, t target, f *filter, table *states.Table, onChange, onListed func()) *watcher {
	return &watcher{
		comparer: c, target: t, filter: f, table: table, ctx: ctx, onChange: onChange, onListed: onListed,
		schema:   diff.SchemaOf(t.Group, t.Kind),
		resource: attribute.NewSet(attribute.String("k8s.object.resource", t.name())),
	}
}

// read makes an item of an object's text. What a list shows for the first time, or has not changed, goes no further; only
// what there is to tell of keeps its text.
func (w *watcher) read(raw []byte, listed bool) (*source.Item, error) {
	header, err := object.Read(raw)
	if err == nil && (header.Name == "" || header.ResourceVersion == "") {
		err = fmt.Errorf("an object of %s has no name or no resourceVersion", w.target.name())
	}
	if err != nil {
		w.telemetry.ReceiverWatchInvalid.Add(w.ctx, 1, metric.WithAttributeSet(w.resource))
		return nil, err
	}
	key := header.Key()
	known, isKnown := w.table.Get(key)
	isKnown = isKnown && known.UID == header.UID
	slim := &source.Item{Header: object.Header{
		Namespace: header.Namespace, Name: header.Name, UID: header.UID, ResourceVersion: header.ResourceVersion,
	}}
	if !isKnown && !w.filter.passes(header.Namespace, header.Labels) {
		slim.Ignored = true
		return slim, nil
	}
	if listed && isKnown && known.ResourceVersion == header.ResourceVersion && !w.relearn.Load() {
		return slim, nil
	}
	text, err := w.redacted(&header, raw)
	if err != nil {
		w.telemetry.ReceiverWatchInvalid.Add(w.ctx, 1, metric.WithAttributeSet(w.resource))
		return nil, err
	}
	if listed && (isKnown && known.ResourceVersion == header.ResourceVersion || !isKnown && !w.isNew(&header)) {
		w.put(&header, text)
		return slim, nil
	}
	header.ManagedFields = bytes.Clone(header.ManagedFields)
	return &source.Item{Header: header, Text: text}, nil
}

// isNew tells whether an object that is listed but not known was created while the receiver was there. After the first
// list it was, unless it may be unknown for want of memory, or because it had not passed the filter; otherwise the object
// says when it was created, by the second.
func (w *watcher) isNew(h *object.Header) bool {
	if w.synced.Load() && !w.table.Missed() && w.filter == nil {
		return true
	}
	return !h.Created.Before(w.started.Truncate(time.Second))
}

// redacted returns the object without secrets and managedFields, and with the kind that items of lists lack.
func (w *watcher) redacted(h *object.Header, raw []byte) ([]byte, error) {
	text := make([]byte, 0, len(raw)+64)
	if h.Kind == "" {
		h.Kind, h.APIVersion = w.target.Kind, w.target.GroupVersion().String()
		text = fmt.Appendf(text, `{"kind":%q,"apiVersion":%q`, h.Kind, h.APIVersion)
	}
	from := len(text)
	text, _, err := w.redactor.AppendObject(text, w.redactTarget(h, false), raw)
	if err == nil && from > 0 {
		text[from] = ',' // in place of the bracket; an object with a name has members
	}
	return bytes.Clone(text), err
}

func (w *watcher) redactTarget(h *object.Header, sensitive bool) redact.Target {
	return redact.Target{
		Group: w.target.Group, Version: w.target.Version, Resource: w.target.Resource, Namespace: h.Namespace, Name: h.Name, Sensitive: sensitive,
	}
}

// Add takes an object that a watch shows for the first time.
func (w *watcher) Add(obj any) error { return w.take(obj.(*source.Item), created, false) }

// Update takes a new state.
func (w *watcher) Update(obj any) error { return w.take(obj.(*source.Item), updated, false) }

// Delete takes the last state.
func (w *watcher) Delete(obj any) error {
	item := obj.(*source.Item)
	if item.Ignored || item.Text == nil {
		return nil
	}
	w.table.Remove(item.Header.Key())
	return w.tell(&change{changeType: deleted, header: item.Header, text: item.Text})
}

// Replace takes a list of all objects.
func (w *watcher) Replace(items []any, _ string) error {
	w.telemetry.ReceiverWatchRelists.Add(w.ctx, 1, metric.WithAttributeSet(w.resource))
	w.table.NextRound()
	for i := range items {
		item := items[i].(*source.Item)
		items[i] = nil
		switch {
		case item.Ignored:
		case item.Text == nil:
			w.table.Touch(item.Header.Key())
		default:
			if err := w.take(item, created, true); err != nil {
				return err
			}
		}
	}
	for _, key := range w.table.Unseen() {
		if err := w.takeMissing(key, time.Time{}); err != nil {
			return err
		}
	}
	w.synced.Store(true)
	w.relearn.Store(false)
	w.onListed()
	return nil
}

// Resync implements [cache.ReflectorStore]. There is nothing to do.
func (*watcher) Resync() error { return nil }

// Bookmark implements [cache.ReflectorBookmarkStore].
func (*watcher) Bookmark(string) error { return nil }

// take takes a state of an object. What is known of the object decides what happened to it, rather than the event: after an
// interruption an object that is added may have been there before.
func (w *watcher) take(item *source.Item, event changeType, inferred bool) error {
	h := item.Header
	if item.Ignored || item.Text == nil {
		return nil
	}
	known, isKnown := w.table.Get(h.Key())
	if isKnown && known.UID == h.UID && known.ResourceVersion == h.ResourceVersion {
		w.table.Touch(h.Key())
		return nil // told before
	}
	if isKnown && known.UID != h.UID { // another object by the same name: the end of the one before went unobserved
		if err := w.takeMissing(h.Key(), h.Created); err != nil {
			return err
		}
		isKnown = false
	}
	c := &change{changeType: event, header: h, text: item.Text, inferred: inferred}
	switch {
	case isKnown:
		c.changeType = updated
		w.compare(c, known)
	case event == updated:
		c.degraded = attr.WatchDegradedSkipped
	}
	w.put(&h, item.Text)
	if isKnown && !w.filter.passes(h.Namespace, h.Labels) {
		w.table.Remove(h.Key()) // this is the last that is seen of it
	}
	if isKnown && len(c.diff.Changes)+c.diff.Cut == 0 && !w.verbose && c.degraded == "" && h.DeletionTimestamp == c.before.DeletionTimestamp {
		w.telemetry.ReceiverWatchChangesDropped.Add(w.ctx, 1, metric.WithAttributes(attribute.String("reason", "noise")))
		return nil
	}
	return w.tell(c)
}

// takeMissing tells that an object is gone of which the end was not observed. It was gone by the time that is given, if
// that is known.
func (w *watcher) takeMissing(key string, by time.Time) error {
	known, ok := w.table.Get(key)
	if !ok {
		return nil
	}
	c := &change{changeType: deleted, inferred: true, by: by}
	text, err := w.table.Text(known)
	if err == nil {
		c.header, err = object.Read(text)
	}
	w.table.Remove(key)
	if err != nil {
		w.telemetry.ReceiverWatchInvalid.Add(w.ctx, 1, metric.WithAttributeSet(w.resource))
		return nil //nolint:nilerr // counted: what was kept cannot be read
	}
	if known.Kept == states.Full {
		c.text = text
	} else {
		c.degraded = attr.WatchDegradedMetadata
	}
	return w.tell(c)
}

// compare fills in what an update changed.
func (w *watcher) compare(c *change, known states.State) {
	before, err := w.table.Text(known)
	if err == nil {
		c.before, err = object.Read(before)
	}
	if err != nil {
		c.degraded = attr.WatchDegradedSkipped
		return
	}
	after := c.text
	if known.Kept != states.Full {
		c.degraded = attr.WatchDegradedMetadata
		after = states.MetadataOf(after)
	}
	before, after = w.bothClosed(c, before, after)
	if c.diff, err = w.differ.Compare(before, after, w.schema); err != nil {
		c.degraded = attr.WatchDegradedSkipped
		return
	}
	c.beforeText = before
}

// bothClosed redacts both states when one of them says by its label that only metadata may be shown: what the label
// hides must not be shown by the change that sets or removes it.
func (w *watcher) bothClosed(c *change, before, after []byte) (closedBefore, closedAfter []byte) {
	if w.redactor.Labeled(before) == w.redactor.Labeled(after) {
		return before, after
	}
	target := w.redactTarget(&c.header, true)
	closedBefore, _, errBefore := w.redactor.AppendObject(nil, target, before)
	closedAfter, _, errAfter := w.redactor.AppendObject(nil, target, after)
	if errBefore != nil || errAfter != nil {
		return []byte("{}"), []byte("{}")
	}
	return closedBefore, closedAfter
}

func (w *watcher) put(h *object.Header, text []byte) {
	kept := "nothing"
	switch w.table.Put(h.Key(), h.UID, h.ResourceVersion, text) {
	case states.Full:
		return
	case states.Metadata:
		kept = "metadata"
	case states.Nothing:
	}
	w.telemetry.ReceiverWatchMemoryLimited.Add(w.ctx, 1, metric.WithAttributes(attribute.String("kept", kept)))
}

func (w *watcher) tell(c *change) error {
	c.target, c.observed = w.target, w.now()
	if w.onChange != nil {
		w.onChange()
	}
	return w.emit(w.ctx, c)
}
