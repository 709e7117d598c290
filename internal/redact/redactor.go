// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"bytes"
	"regexp"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Redactor applies one configuration. It does not change, and is safe for concurrent use.
type Redactor struct {
	rules       rules
	schemaRules rules
	paths       pathRules
	objects     []*regexp.Regexp
	dropBodies  []*regexp.Regexp
	marker      marker
}

// New returns a Redactor for a configuration, or the error of its Validate.
func New(c Config) (*Redactor, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := &Redactor{rules: newRules(c), marker: newMarker(string(c.HashKey))}
	r.schemaRules = r.rules
	r.schemaRules.env, r.schemaRules.args = false, false
	var err error
	if r.objects, err = compile("objects", c.Objects); err != nil {
		return nil, err
	}
	if r.dropBodies, err = compile("drop_bodies", c.DropBodies); err != nil {
		return nil, err
	}
	if r.paths, err = newPathRules(c.Paths); err != nil {
		return nil, err
	}
	return r, nil
}

// AppendObject appends the body of a request or response as compact JSON, without managedFields and with secret values
// replaced, and returns how many were. It takes objects, lists and tables of them, a Status, and patches that look like
// part of an object.
//
// The output is valid UTF-8. If the body is not valid JSON, dst is returned as it was, with an error that quotes nothing
// of the body.
func (r *Redactor) AppendObject(dst []byte, t Target, body []byte) (out []byte, redacted int, err error) {
	w := r.walker(dst, t, body)
	err = w.body()
	return w.finish(dst, err)
}

// AppendPatch is like AppendObject for the body of a request, which may also be a JSON patch: an array of operations.
func (r *Redactor) AppendPatch(dst []byte, t Target, body []byte) (out []byte, redacted int, err error) {
	w := r.walker(dst, t, body)
	if w.scan.Next() == jsonscan.Array {
		err = w.patch()
	} else {
		err = w.body()
	}
	return w.finish(dst, err)
}

// Labeled reports whether a body says by [Label] that only its metadata may be shown. A patch of such an object need not
// have the label, but what the API server answers has: [Target.Sensitive] carries the knowledge over to the patch. A body
// that cannot be read counts as labeled.
func (r *Redactor) Labeled(body []byte) bool {
	if !r.rules.labels || !bytes.Contains(body, []byte("diff-redacted")) && bytes.IndexByte(body, '\\') < 0 {
		return false // without reading it; only an escape can hide the label's name
	}
	labeled := false
	s := jsonscan.New(body)
	inside := func(name string, then func(key []byte) error) func(key []byte) error {
		return func(key []byte) error {
			if string(key) != name || s.Next() != jsonscan.Object {
				return nil
			}
			return s.Object(then)
		}
	}
	err := s.Object(inside("metadata", inside("labels", func(key []byte) error {
		labeled = labeled || closes(key, s)
		return nil
	})))
	return labeled || err != nil
}

// closes reports whether a label is the one that hides the object. The scanner is before its value.
func closes(key []byte, s jsonscan.Scanner) bool {
	if string(key) != Label || s.Next() == jsonscan.Null {
		return false
	}
	value, err := s.Bytes()
	return err != nil || string(value) != "false"
}
