// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"fmt"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

const (
	// maxDepth bounds the recursion. What is nested deeper is replaced as a whole: no real object comes near.
	maxDepth = 250
	// repeatFactor bounds the work for objects whose members tell late that earlier ones should have been hidden: in all,
	// no more than this many times the body is read again. Real bodies need less than one.
	repeatFactor = 4
)

// walker copies one body.
type walker struct {
	r      *Redactor
	rules  *rules
	target Target
	text   []byte
	scan   jsonscan.Scanner
	out    []byte
	// root is what the body, or each item of it, is taken for.
	root     place
	redacted int
	depth    int
	// repeats is the number of bytes that may still be read again.
	repeats int
	// trails holds the places in the trees of paths, see [trail]. The first ones, rootTrail, are those of the root.
	trails    []*pathNode
	rootTrail trail
	// about is what metadata told of the object that it belongs to, and closed whether that of any object closed it.
	about  about
	closed bool
}

func (r *Redactor) walker(dst []byte, t Target, body []byte) walker {
	w := walker{
		r: r, rules: r.rulesOf(t), target: t, text: body, scan: jsonscan.New(body), out: dst, root: r.root(t), repeats: repeatFactor * len(body),
		trails: r.paths.of(t),
	}
	w.rootTrail.hi = len(w.trails)
	if len(w.trails) > 0 && isStatus(w.scan) {
		w.root = closedObject // its messages may quote values that only the paths tell to be secret
	}
	return w
}

func isStatus(s jsonscan.Scanner) bool {
	found := false
	err := s.Object(func(key []byte) error {
		if string(key) == "kind" && s.Next() == jsonscan.String {
			kind, err := s.Bytes()
			found = found || string(kind) == "Status"
			return err
		}
		return nil
	})
	return found && err == nil
}

// finish ends a call that was given dst.
func (w *walker) finish(dst []byte, err error) ([]byte, int, error) {
	if err == nil {
		err = w.scan.End()
	}
	if err != nil {
		return dst, 0, fmt.Errorf("cannot redact: %w", err)
	}
	return validUTF8(w.out, len(dst)), w.redacted, nil
}

func (w *walker) body() error {
	switch w.scan.Next() {
	case jsonscan.Object, jsonscan.Array:
		return w.value(w.root, w.rootTrail)
	default:
		return w.hide() // no API object
	}
}

// value copies the next value.
func (w *walker) value(p place, t trail) error {
	kind := w.scan.Next()
	switch {
	case kind == jsonscan.Null:
		return w.copy()
	case hides(p, kind):
		return w.hide()
	case kind == jsonscan.Object, kind == jsonscan.Array:
		return w.compound(kind, p, t)
	case kind == jsonscan.String && p == message:
		return w.message()
	default:
		return w.copy()
	}
}

func (w *walker) compound(kind jsonscan.Kind, p place, t trail) error {
	if w.depth == maxDepth {
		return w.hide()
	}
	w.depth++
	var err error
	if kind == jsonscan.Array {
		err = w.array(item(p), t)
	} else {
		err = w.object(p, t)
	}
	w.depth--
	return err
}

func (w *walker) array(items place, t trail) error {
	w.out = append(w.out, '[')
	comma := false
	err := w.scan.Array(func() error {
		if comma {
			w.out = append(w.out, ',')
		}
		comma = true
		if t.isEmpty() && !items.isRoot() {
			return w.value(items, t)
		}
		next, end := w.followItem(t)
		return w.follow(items, next, end)
	})
	w.out = append(w.out, ']')
	return err
}

// follow copies a value to which a trail led.
func (w *walker) follow(p place, t trail, end bool) error {
	defer w.giveUp(t)
	switch {
	case end:
		return w.hide()
	case p.isRoot():
		return w.value(p, w.rootTrail)
	default:
		return w.value(p, t)
	}
}

// copy copies the next value as it is, which is compact if it is a scalar.
func (w *walker) copy() error {
	w.scan.Next()
	start := w.scan.Offset()
	err := w.scan.Skip()
	w.out = append(w.out, w.text[start:w.scan.Offset()]...)
	return err
}

// hide replaces the next value. Null stays: that there is nothing is no secret, and in a patch it means a deletion.
func (w *walker) hide() error {
	if w.scan.Next() == jsonscan.Null {
		return w.copy()
	}
	raw, err := w.scan.Raw()
	if err != nil {
		return err
	}
	w.out = w.r.marker(w.out, raw)
	w.redacted++
	return nil
}

func (w *walker) message() error {
	before := w.scan
	text, err := w.scan.Bytes()
	if err != nil {
		return err
	}
	if short, cut := cutDumps(string(text)); cut {
		w.out = jsonscan.AppendQuote(w.out, short)
		w.redacted++
		return nil
	}
	w.scan = before
	return w.copy()
}
