// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff // import "github.com/kelemetry/kelemetry/internal/diff"

import (
	"bytes"
	"slices"
	"unsafe"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// walker makes one comparison. Its documents have been validated.
type walker struct {
	differ *Differ
	result Result
	path   Path
	buffer []byte
	// members and items are stacks, of which each level uses the end.
	members []member
	items   []item
}

// member is one of an object's.
type member struct {
	key, value []byte
	taken      bool
}

// expect is what the schema says about a value: about its members, its items, or its values if it is a map.
type expect struct {
	object *Schema
	list   *field
	values *Schema
}

func (e expect) member(key []byte) expect {
	if e.values != nil {
		return expect{object: e.values}
	}
	f := e.object.field(key)
	switch {
	case f == nil:
		return expect{}
	case f.list != unknown:
		return expect{list: f}
	case f.values:
		return expect{values: f.below()}
	default:
		return expect{object: f.below()}
	}
}

// value compares two values that both exist.
func (w *walker) value(before, after []byte, e expect) {
	if bytes.Equal(before, after) {
		return
	}
	was, is := kindOf(before), kindOf(after)
	switch {
	case len(w.path) >= maxDepth:
		w.change(before, after)
	case was == jsonscan.Object && is == jsonscan.Object:
		w.object(before, after, e)
	case was == jsonscan.Array && is == jsonscan.Array:
		w.array(before, after, e.list)
	case was == jsonscan.String && is == jsonscan.String && sameText(before, after):
	case w.sameMeaning(before, after):
		w.respelled(before, after)
	default:
		w.change(before, after)
	}
}

func kindOf(value []byte) jsonscan.Kind {
	s := jsonscan.New(value)
	return s.Next()
}

// object goes through both objects side by side, in the order of the new one. A member that is gone is reported where it was.
func (w *walker) object(before, after []byte, e expect) {
	base := len(w.members)
	olds := w.list(before)
	news := w.list(after)
	defer func() { w.members = w.members[:base] }()
	find := finder(news)
	i := 0
	for j := range news {
		n := &news[j]
		for i < len(olds) && (olds[i].taken || !bytes.Equal(olds[i].key, n.key) && find(news, olds[i].key) < 0) {
			w.removed(&olds[i])
			i++
		}
		var o *member
		if i < len(olds) && bytes.Equal(olds[i].key, n.key) {
			o = &olds[i]
			i++
		} else if at := find(olds, n.key); at >= 0 && !olds[at].taken {
			o = &olds[at]
		}
		w.push(Segment{Kind: Field, Field: alias(n.key)})
		if o == nil {
			w.change(nil, n.value)
		} else {
			o.taken = true
			w.value(o.value, n.value, e.member(n.key))
		}
		w.pop()
	}
	for ; i < len(olds); i++ {
		w.removed(&olds[i])
	}
}

func (w *walker) removed(m *member) {
	if m.taken {
		return
	}
	m.taken = true
	w.push(Segment{Kind: Field, Field: alias(m.key)})
	w.change(m.value, nil)
	w.pop()
}

// list pushes the members of an object on the stack. The result stays as it is while more are pushed.
func (w *walker) list(object []byte) []member {
	base := len(w.members)
	s := jsonscan.New(object)
	_ = s.Object(func(key []byte) error {
		value, err := s.Raw()
		w.members = append(w.members, member{key: key, value: value})
		return err
	})
	return w.members[base:len(w.members):len(w.members)]
}

// manyMembers is from where on members are looked up in a map: data of people can have thousands.
const manyMembers = 32

// finder returns a function that finds the first member of that name on one of two sides, of which news is one, or -1.
func finder(news []member) func(side []member, key []byte) int {
	var maps [2]map[string]int
	return func(side []member, key []byte) int {
		if len(side) < manyMembers {
			return slices.IndexFunc(side, func(m member) bool { return bytes.Equal(m.key, key) })
		}
		which := 0
		if len(news) > 0 && &side[0] == &news[0] {
			which = 1
		}
		if maps[which] == nil {
			maps[which] = make(map[string]int, len(side))
			for i := range slices.Backward(side) {
				maps[which][alias(side[i].key)] = i
			}
		}
		if at, ok := maps[which][string(key)]; ok {
			return at
		}
		return -1
	}
}

func (w *walker) push(s Segment) { w.path = append(w.path, s) }

func (w *walker) pop() { w.path = w.path[:len(w.path)-1] }

// change reports a change at the current path.
func (w *walker) change(before, after []byte) { w.report(Change{Old: before, New: after}, false) }

// respelled reports another spelling of the same.
func (w *walker) respelled(before, after []byte) { w.report(Change{Old: before, New: after}, true) }

func (w *walker) report(c Change, noise bool) {
	if !noise {
		noise, w.buffer = w.differ.isNoise(w.path, w.buffer)
	}
	list := &w.result.Changes
	if noise {
		list = &w.result.Noise
	}
	if w.differ.maxChanges > 0 && len(*list) >= w.differ.maxChanges {
		if !noise {
			w.result.Cut++
		}
		return
	}
	c.Path = w.path.clone()
	*list = append(*list, c)
}

// clone copies what the walk will overwrite. Names are copied too, so that they do not hold on to the documents.
func (p Path) clone() Path {
	copied := slices.Clone(p)
	for i := range copied {
		copied[i].Field = string([]byte(copied[i].Field))
	}
	return copied
}

// alias is a string without a copy, for as long as the bytes stay as they are.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //nolint:gosec // see above
