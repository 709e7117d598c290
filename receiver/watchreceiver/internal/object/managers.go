// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package object // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Manager is an entry of managedFields without its fields.
type Manager struct {
	Manager     string `json:"manager"`
	Operation   string `json:"operation,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Time        string `json:"time,omitempty"`
	// Fields is how many of the changes it owns; 0 if that it made the change is told by the time alone.
	Fields int `json:"fields"`

	at     time.Time
	fields []byte // fieldsV1
}

// At is when the manager last wrote; zero if that is not told.
func (m *Manager) At() time.Time { return m.at }

// Who returns the managers that made changes, by the managedFields that the object has after them: those that own
// what was changed or added. Nobody owns what was removed; if there is nothing else, it was one of those who wrote last. Nobody owns
// either what the API server sets for others, such as a Pod's node or the mark of deletion; of that the object does not tell.
func Who(managedFields []byte, changes []diff.Change) []Manager {
	all := readManagers(managedFields)
	owners := slices.Clone(all)
	for i := range owners {
		for c := range changes {
			if changes[c].New != nil && owns(owners[i].fields, changes[c].Path) {
				owners[i].Fields++
			}
		}
	}
	owners = slices.DeleteFunc(owners, func(m Manager) bool { return m.Fields == 0 })
	if len(owners) > 0 || slices.ContainsFunc(changes, func(c diff.Change) bool { return c.New != nil }) {
		return owners
	}
	return Latest(managedFields)
}

// Latest returns those who wrote last. Times are told by the second, so there can be several.
func Latest(managedFields []byte) []Manager {
	all := readManagers(managedFields)
	var last time.Time
	for i := range all {
		if all[i].at.After(last) {
			last = all[i].at
		}
	}
	return slices.DeleteFunc(all, func(m Manager) bool { return m.at.Before(last) })
}

func readManagers(managedFields []byte) []Manager {
	if len(managedFields) == 0 {
		return nil
	}
	var all []Manager
	s := jsonscan.New(managedFields)
	_ = s.Array(func() error {
		var m Manager
		err := s.Object(func(key []byte) (err error) {
			switch string(key) {
			case "manager":
				err = str(&s, &m.Manager)
			case "operation":
				err = str(&s, &m.Operation)
			case "subresource":
				err = str(&s, &m.Subresource)
			case "time":
				err = str(&s, &m.Time)
			case "fieldsV1":
				m.fields, err = s.Raw()
			}
			return lenient(err)
		})
		if err == nil {
			m.at, _ = time.Parse(time.RFC3339Nano, m.Time)
			all = append(all, m)
		}
		return lenient(err)
	})
	return all
}

// owns reports whether a set of fields has a path, something below it, or something above it that is owned as a whole.
func owns(fields []byte, path diff.Path) bool {
	for i := range path {
		if i > 0 && isLeaf(fields) {
			return true
		}
		below := step(fields, &path[i])
		if below == nil {
			return false
		}
		fields = below
	}
	return true
}

// isLeaf reports whether nothing below a field is owned by itself.
func isLeaf(fields []byte) bool {
	return string(bytes.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, fields[:min(len(fields), 16)])) == "{}"
}

// step returns what is owned below a step of a path; nil if nothing is.
func step(fields []byte, segment *diff.Segment) []byte {
	var below []byte
	s := jsonscan.New(fields)
	if s.Next() != jsonscan.Object {
		return nil
	}
	_ = s.Object(func(key []byte) error {
		if below != nil || !isStep(key, segment) {
			return nil
		}
		raw, err := s.Raw()
		below = raw
		return err
	})
	return below
}

func isStep(key []byte, segment *diff.Segment) bool {
	if len(key) < 2 || key[1] != ':' {
		return false
	}
	rest := key[2:]
	switch key[0] {
	case 'f':
		return segment.Kind == diff.Field && string(rest) == segment.Field
	case 'k':
		return segment.Kind == diff.Keyed && hasKeys(rest, segment.Keys)
	case 'v':
		return segment.Kind == diff.Valued && sameScalar(rest, segment.Value)
	case 'i':
		return segment.Kind == diff.Indexed && string(rest) == strconv.Itoa(segment.Index)
	default:
		return false
	}
}

// hasKeys reports whether an item's key in a set of fields, such as {"containerPort":80,"protocol":"TCP"}, has these.
func hasKeys(key []byte, want []diff.Key) bool {
	found := 0
	s := jsonscan.New(key)
	err := s.Object(func(name []byte) error {
		for i := range want {
			if want[i].Name != string(name) {
				continue
			}
			value, err := s.Raw()
			if err == nil && sameScalar(value, want[i].Value) {
				found++
			}
			return err
		}
		return nil
	})
	// A key that the object leaves to its default is in the set nevertheless.
	missing := 0
	for i := range want {
		if want[i].Value == nil {
			missing++
		}
	}
	return err == nil && found+missing >= len(want)
}

func sameScalar(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := jsonscan.New(a), jsonscan.New(b)
	if x.Next() != jsonscan.String || y.Next() != jsonscan.String {
		return false
	}
	textA, errA := x.Str()
	textB, errB := y.Str()
	return errA == nil && errB == nil && strings.Compare(textA, textB) == 0
}
