// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// State is what is known of an object's content, as far as rules look at it: the newest whole content, and changes newer than
// that. It is the same in whatever order content and changes came. A State does not change.
type State struct {
	// whole is the JSON of what rules look at, as of a time; nil when the object was never seen whole.
	whole   []byte
	at      pcommon.Timestamp
	uid     string
	version string
	// changes are newer than whole, in the order of their times, one for each path.
	changes []Change
	// Stale is true when something has changed in a way that cannot be followed, so that the object must be looked up.
	stale pcommon.Timestamp
}

// Change is a new value of a member.
type Change struct {
	At   pcommon.Timestamp
	Path []string
	// Value is JSON; null when the member was removed.
	Value string
	// Unclear is true when the new value is not known.
	Unclear bool
}

// maxChanges bounds the changes that a State has beyond the whole content. There can be many only if the whole content was
// never seen.
const maxChanges = 16

// maxContent bounds the JSON that a State keeps. Of larger objects changes cannot be followed.
const maxContent = 4096

// Whole reports whether the object was seen whole.
func (s *State) Whole() bool { return s.version != "" || s.at != 0 }

// Stale reports whether something has changed that cannot be followed.
func (s *State) Stale() bool {
	return s.stale > s.at || s.Whole() && s.whole == nil && len(s.changes) > 0
}

// Knows reports whether the whole content of that version is known.
func (s *State) Knows(uid, version string) bool {
	return version != "" && s.version == version && s.uid == uid
}

// WithContent takes in the whole content of an object at a time, as Decode has read it. It reports false when newer content is
// known.
func (s State) WithContent(o *Object, at pcommon.Timestamp, version string) (State, bool) {
	if s.Whole() && !s.precedes(o.UID, at, version) {
		return s, false
	}
	s.at, s.uid, s.version = max(s.at, at), o.UID, version
	s.whole, _ = json.Marshal(o.content) // it was read from JSON
	if len(s.whole) > maxContent {
		s.whole = nil
	}
	s.changes = slices.DeleteFunc(slices.Clone(s.changes), func(c Change) bool { return c.At <= s.at })
	return s, true
}

// precedes is true if the content that is known is older than another. Of one life of an object the versions tell: what a watch
// finds in a list has the time of the object's creation, however often the object has changed since.
func (s *State) precedes(uid string, at pcommon.Timestamp, version string) bool {
	if known, ok := number(s.version); ok && uid != "" && uid == s.uid {
		if other, ok := number(version); ok {
			return known < other
		}
	}
	return s.at < at || s.at == at && s.version < version
}

// number reads a resourceVersion, which Kubernetes allows to be compared as such.
func number(version string) (uint64, bool) {
	n, err := strconv.ParseUint(version, 10, 64)
	return n, err == nil
}

// WithChanges takes in changes. It reports false when they change nothing that rules look at.
func (s State) WithChanges(r *Rules, o *Object, changes []Change) (State, bool) {
	reads := r.selection(o.Group, o.Object.Resource).reads
	cloned := false
	for _, c := range changes {
		if c.At <= s.at || !reads.touches(c.Path) {
			continue
		}
		if c.Unclear {
			s.stale = max(s.stale, c.At)
			continue
		}
		if !cloned {
			s.changes, cloned = slices.Clone(s.changes), true
		}
		s.insert(c)
	}
	return s, cloned || s.stale > s.at
}

// insert keeps the newest change of each path. Those of the same time and path cannot differ, for a diff has each path once.
func (s *State) insert(c Change) {
	for i, known := range s.changes {
		if slices.Equal(known.Path, c.Path) {
			if known.At >= c.At {
				return
			}
			s.changes = slices.Delete(s.changes, i, i+1)
			break
		}
	}
	i, _ := slices.BinarySearchFunc(s.changes, c, func(a, b Change) int {
		if a.At != b.At {
			if a.At < b.At {
				return -1
			}
			return 1
		}
		return slices.Compare(a.Path, b.Path)
	})
	s.changes = slices.Insert(s.changes, i, c)
	if len(s.changes) > maxChanges {
		s.stale = max(s.stale, s.changes[0].At)
		s.changes = slices.Delete(s.changes, 0, 1)
	}
}

// restore makes the content of the object from the state. If it is not known as a whole, known says which parts are.
func (s *State) restore(o *Object) {
	o.content, o.known = nil, nil
	if s.whole != nil {
		whole, _ := parse(s.whole) // it was written by Marshal
		o.content, _ = whole.(map[string]any)
	} else {
		o.known = make(paths)
	}
	if o.content == nil {
		o.content = make(map[string]any)
	}
	for _, c := range s.changes {
		value, err := parse([]byte(c.Value))
		if err != nil {
			continue
		}
		set(o.content, c.Path, value)
		if o.known != nil {
			o.known = o.known.add(c.Path)
		}
	}
}

// set puts a value at a path, or takes it off if it is nil.
func set(content map[string]any, path []string, value any) {
	for _, member := range path[:len(path)-1] {
		below, ok := content[member].(map[string]any)
		if !ok {
			if value == nil {
				return
			}
			below = make(map[string]any)
			content[member] = below
		}
		content = below
	}
	if last := path[len(path)-1]; value == nil {
		delete(content, last)
	} else {
		content[last] = value
	}
}

// ReadChange reads an attribute of a diff: a path, and "old -> new" as JSON.
func ReadChange(name, text string, at pcommon.Timestamp) (Change, bool) {
	path, exact := readPath(name)
	if len(path) == 0 {
		return Change{}, false
	}
	c := Change{At: at, Path: path}
	value, ok := newValue(text)
	if !exact || !ok {
		c.Unclear = true
		return c, true
	}
	c.Value = strings.Clone(value)
	return c, true
}
