// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import "github.com/kelemetry/kelemetry/internal/jsonscan"

// frame is what is known of an object while it is copied.
type frame struct {
	place place
	facts facts
	// exposed are the facts that would have hidden a member that was shown because they were not known yet.
	exposed facts
	// again is set when such a fact becomes known.
	again bool
	comma bool
}

// object copies an object. If a member tells that an earlier one should have been hidden, such as a kind that comes after
// the data, the copy is taken back and made again with that knowledge. Facts only grow, so this ends; that it takes
// bounded time with hostile nesting too is what walker.repeats is for: when that is used up the object is replaced.
func (w *walker) object(p place, t trail) error {
	start, length, redacted := w.scan, len(w.out), w.redacted
	f := frame{place: p}
	for {
		if err := w.members(&f, t); err != nil || !f.again {
			return err
		}
		w.out, w.redacted = w.out[:length], redacted
		size := w.scan.Offset() - start.Offset()
		if w.repeats < size {
			w.out = append(w.out, `"`+Redacted+`"`...)
			w.redacted++
			return nil
		}
		w.repeats -= size
		w.scan = start
		f = frame{place: p, facts: f.facts}
		if p.isRoot() && f.facts&factClosed != 0 {
			f.place = closedObject
		}
	}
}

func (w *walker) members(f *frame, t trail) error {
	w.out = append(w.out, '{')
	err := w.scan.Object(func(key []byte) error { return w.member(f, t, key) })
	w.out = append(w.out, '}')
	return err
}

func (w *walker) member(f *frame, t trail, key []byte) error {
	p := w.rules.member(f.place, f.facts, key)
	if p == dropped {
		return nil // the scanner skips it
	}
	w.key(f)
	if !f.place.isGuarded() {
		f.exposed |= hiddenBy(key) &^ f.facts
	}
	if f.place.isObserved() {
		w.observe(f.place, key)
	}
	if string(key) == "kind" {
		f.learn(w.kind())
	}
	err := w.memberValue(p, t, key)
	if f.place.isRoot() && string(key) != "apiVersion" && string(key) != "kind" {
		f.exposed |= factClosed &^ f.facts
		if string(key) == "metadata" {
			f.learn(w.takeFacts())
		}
	}
	return err
}

// key writes the key of the member before whose value the scanner is, and the comma before it.
func (w *walker) key(f *frame) {
	raw := w.scan.RawKey()
	if f.comma {
		// Compact text has all of it in a row.
		if end := w.scan.Offset(); w.text[end-1] == ':' && w.text[end-2] == '"' && w.text[end-2-len(raw)] == ',' {
			w.out = append(w.out, w.text[end-2-len(raw):end]...)
			return
		}
		w.out = append(w.out, ',')
	}
	f.comma = true
	w.out = append(append(w.out, raw...), ':')
}

func (w *walker) memberValue(p place, t trail, key []byte) error {
	if t.isEmpty() && !p.isRoot() {
		return w.value(p, t)
	}
	next, end := w.followMember(t, key)
	return w.follow(p, next, end)
}

func (f *frame) learn(known facts) {
	f.again = f.again || known&f.exposed != 0
	f.facts |= known
}

// kind peeks at the value of kind.
func (w *walker) kind() facts {
	ahead := w.scan
	if ahead.Next() != jsonscan.String {
		return 0
	}
	kind, err := ahead.Bytes()
	if err != nil {
		return 0 // the walk will come across it
	}
	return w.rules.ofKind(kind)
}

// about is what the metadata of an object says that matters for the rest of it.
type about struct {
	closed          bool
	namespace, name string
}

// observe takes note of a member of metadata or of labels. The scanner is before its value.
func (w *walker) observe(p place, key []byte) {
	switch p {
	case labels:
		w.about.closed = w.about.closed || w.rules.labels && closes(key, w.scan)
	case metadata, secretMetadata, closedMetadata:
		if len(w.r.objects) == 0 {
			return
		}
		ahead := w.scan
		switch string(key) {
		case "name":
			w.about.name, _ = ahead.Str()
		case "namespace":
			w.about.namespace, _ = ahead.Str()
		}
	}
}

// takeFacts ends a metadata and returns what it says about its object.
func (w *walker) takeFacts() facts {
	a := w.about
	w.about = about{}
	if a.name != "" || a.namespace != "" {
		t := w.target
		t.Name = a.name
		if a.namespace != "" {
			t.Namespace = a.namespace
		}
		a.closed = a.closed || matchesAny(w.r.objects, t)
	}
	if !a.closed {
		return 0
	}
	w.closed = true
	return factClosed
}
