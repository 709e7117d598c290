// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff // import "github.com/kelemetry/kelemetry/internal/diff"

import (
	"bytes"
	"strings"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// item is one of a list's. Its id tells it from the others of its list, where they are matched by one.
type item struct {
	value []byte
	kind  jsonscan.Kind
	id    string
}

// nameFields are what authors of types tell items apart by, the most telling first.
var nameFields = []string{"name", "type", "key", "id", "uid", "ip", "hostname", "port", "containerPort", "kind"}

func (w *walker) array(before, after []byte, f *field) {
	base := len(w.items)
	olds := w.listItems(before)
	news := w.listItems(after)
	defer func() { w.items = w.items[:base] }()
	below := expect{object: f.below()}
	switch {
	case f != nil && f.list == set && identifyValues(olds) && identifyValues(news):
		w.matched(olds, news, nil, below)
		return
	case f != nil && f.list == keyed:
		for n := 1; n <= len(f.keys); n++ { // as few as it takes
			if identify(olds, f.keys[:n]) && identify(news, f.keys[:n]) {
				w.matched(olds, news, f.keys[:n], below)
				return
			}
		}
	}
	for i := range nameFields {
		if key := nameFields[i : i+1]; hasAll(olds, key[0]) && hasAll(news, key[0]) && identify(olds, key) && identify(news, key) {
			w.matched(olds, news, key, below)
			return
		}
	}
	w.byIndex(before, after, olds, news, below)
}

func (w *walker) listItems(array []byte) []item {
	base := len(w.items)
	s := jsonscan.New(array)
	_ = s.Array(func() error {
		kind := s.Next()
		value, err := s.Raw()
		w.items = append(w.items, item{value: value, kind: kind})
		return err
	})
	return w.items[base:len(w.items):len(w.items)]
}

// matched compares items that have ids, in the order of the new list. One that is gone is reported where it was.
func (w *walker) matched(olds, news []item, keys []string, below expect) {
	inOld, inNew := positions(olds), positions(news)
	reordered, last, i := false, -1, 0
	for j := range news {
		for i < len(olds) && !isIn(inNew, olds[i].id) {
			w.item(&olds[i], nil, keys, below)
			i++
		}
		at, ok := inOld[news[j].id]
		if !ok {
			w.item(nil, &news[j], keys, below)
			continue
		}
		reordered = reordered || at < last
		last = max(last, at)
		w.item(&olds[at], &news[j], keys, below)
		if at == i {
			i++
		}
	}
	for ; i < len(olds); i++ {
		if !isIn(inNew, olds[i].id) {
			w.item(&olds[i], nil, keys, below)
		}
	}
	if reordered {
		w.report(Change{Old: order(olds), New: order(news), Reordered: true}, true)
	}
}

func (w *walker) item(before, after *item, keys []string, below expect) {
	one := after
	if one == nil {
		one = before
	}
	if bytes.Equal(valueOf(before), valueOf(after)) {
		return
	}
	w.push(one.segment(keys))
	defer w.pop()
	if before == nil || after == nil {
		w.change(valueOf(before), valueOf(after))
		return
	}
	w.value(before.value, after.value, below)
}

func valueOf(i *item) []byte {
	if i == nil {
		return nil
	}
	return i.value
}

// byIndex compares items by where they stand. A list of plain values that became longer or shorter is one change: by
// index, one that was put in at the front would change all others.
func (w *walker) byIndex(before, after []byte, olds, news []item, below expect) {
	if len(olds) != len(news) && arePlain(olds) && arePlain(news) {
		w.change(before, after)
		return
	}
	for i := range max(len(olds), len(news)) {
		w.push(Segment{Kind: Indexed, Index: i})
		switch {
		case i >= len(olds):
			w.change(nil, news[i].value)
		case i >= len(news):
			w.change(olds[i].value, nil)
		default:
			w.value(olds[i].value, news[i].value, below)
		}
		w.pop()
	}
}

func arePlain(items []item) bool {
	for i := range items {
		if items[i].kind == jsonscan.Object || items[i].kind == jsonscan.Array {
			return false
		}
	}
	return true
}

// identifyValues takes the values themselves for ids and reports whether they are plain and differ.
func identifyValues(items []item) bool {
	for i := range items {
		items[i].id = string(items[i].value)
		if items[i].kind == jsonscan.String {
			items[i].id = text(items[i].value)
		}
	}
	return arePlain(items) && allDiffer(items)
}

// identify makes ids of the values of some members and reports whether all items are objects and the ids differ.
func identify(items []item, keys []string) bool {
	for i := range items {
		if items[i].kind != jsonscan.Object {
			return false
		}
		var id strings.Builder
		for n, value := range items[i].values(keys) {
			if n > 0 {
				id.WriteByte(0)
			}
			switch kindOf(value) {
			case jsonscan.String:
				id.WriteString(text(value))
			case jsonscan.Object, jsonscan.Array:
				return false
			default:
				id.Write(value)
			}
		}
		items[i].id = id.String()
	}
	return allDiffer(items)
}

// hasAll reports whether all items are objects with that member.
func hasAll(items []item, key string) bool {
	for i := range items {
		if items[i].kind != jsonscan.Object || items[i].values([]string{key})[0] == nil {
			return false
		}
	}
	return true
}

// values returns the JSON of some members, nil for those that are not there.
func (i *item) values(keys []string) [][]byte {
	values := make([][]byte, len(keys))
	s := jsonscan.New(i.value)
	_ = s.Object(func(name []byte) error {
		for n, key := range keys {
			if values[n] == nil && string(name) == key {
				value, err := s.Raw()
				values[n] = value
				return err
			}
		}
		return nil
	})
	return values
}

// segment names an item by its keys, or by its value if it has none.
func (i *item) segment(keys []string) Segment {
	if keys == nil {
		return Segment{Kind: Valued, Value: i.value}
	}
	s := Segment{Kind: Keyed}
	for n, value := range i.values(keys) {
		s.Keys = append(s.Keys, Key{Name: keys[n], Value: value})
	}
	return s
}

func allDiffer(items []item) bool {
	const few = 8
	if len(items) > few {
		return len(positions(items)) == len(items)
	}
	for i := range items {
		for j := range i {
			if items[i].id == items[j].id {
				return false
			}
		}
	}
	return true
}

func positions(items []item) map[string]int {
	at := make(map[string]int, len(items))
	for i := range items {
		at[items[i].id] = i
	}
	return at
}

func isIn(at map[string]int, id string) bool {
	_, ok := at[id]
	return ok
}

// order is a JSON array of the ids of a list's items.
func order(items []item) []byte {
	out := []byte{'['}
	for i := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = jsonscan.AppendQuote(out, strings.ReplaceAll(items[i].id, "\x00", ","))
	}
	return append(out, ']')
}
