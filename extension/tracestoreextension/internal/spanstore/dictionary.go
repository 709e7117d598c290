// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
)

// Bounds of a dictionary, and of those that are kept in memory although nobody uses them.
const (
	maxWords     = 1 << 14 // so that a number takes two bytes
	maxWordBytes = 512 << 10
	maxIdleBytes = 8 << 20
	maxWordLen   = 512
	// wordOverhead is about what a word takes in memory besides its text.
	wordOverhead = 150
	// sightings is in how many traces a text must have been seen to become a word.
	sightings = 4
)

// dictionary is what spans of a slice have in common: names of attributes, and whole attributes. A span that has a word has its number instead. Words
// are only ever added, in the batch that has the first span with it.
type dictionary struct {
	of    slice
	users int // guarded by dictionaries.mu

	mu         sync.Mutex // guards everything below
	keys       map[string]*word
	attributes map[string]*word
	words      []*word // by number
	size       int     // of their texts
	// seen remembers what may become a word: of each text a part of its hash, the trace that had it last, and how often that was another.
	seen [4096]uint64
}

// word is a name of an attribute, or an encoded attribute.
type word struct {
	number uint64
	kind   byte
	text   string
	// term is that of an attribute that is indexed.
	term    uint64
	indexed bool
	// stored says that it is on disk; until then each batch that needs it has it.
	stored bool
}

// The kinds of words.
const (
	wordKey       = 'k'
	wordAttribute = 'a'
)

func newDictionary(of slice) *dictionary {
	return &dictionary{of: of, keys: map[string]*word{}, attributes: map[string]*word{}}
}

func wordRow(s slice, number uint64) []byte {
	return binary.BigEndian.AppendUint32(s.prefix(kindWord), uint32(number))
}

func (w *word) value() []byte { return append([]byte{w.kind}, w.text...) }

// sighted says whether a text that is no word yet should become one, having been seen again.
func (d *dictionary) sighted(text []byte, trace byte) bool {
	if len(text) > maxWordLen || len(d.words) >= maxWords || d.size >= maxWordBytes {
		return false
	}
	hash := xxhash.Sum64(text)
	slot := &d.seen[hash%uint64(len(d.seen))]
	const mark = ^uint64(0xffff)
	switch {
	case *slot&mark != hash&mark:
		*slot = hash&mark | uint64(trace)<<8 | 1
	case byte(*slot>>8) != trace:
		*slot = hash&mark | uint64(trace)<<8 | *slot&0xff + 1
	}
	return byte(*slot) >= sightings
}

func (d *dictionary) add(kind byte, text string) *word {
	w := &word{number: uint64(len(d.words)), kind: kind, text: text}
	d.words = append(d.words, w)
	d.size += len(text)
	if kind == wordKey {
		d.keys[text] = w
	} else {
		d.attributes[text] = w
	}
	return w
}

// load reads the words of a slice.
func (d *dictionary) load(it *pebble.Iterator, indexed terms) error {
	prefix := d.of.prefix(kindWord)
	for ok := it.SeekGE(prefix); ok && len(it.Key()) == wordKeyLen && bytes.HasPrefix(it.Key(), prefix); ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read the dictionary of %s: %w", d.of, err)
		}
		number := binary.BigEndian.Uint32(it.Key()[prefixLen:])
		if len(value) == 0 || number >= maxWords {
			return fmt.Errorf("%w: word %d of %s", errDamaged, number, d.of)
		}
		for uint32(len(d.words)) < number { // whose batch was never written, so nobody has it
			d.words = append(d.words, &word{})
		}
		w := d.add(value[0], string(value[1:]))
		w.stored = true
		if w.kind == wordAttribute {
			w.term, w.indexed = indexed.of([]byte(w.text))
		}
	}
	return it.Error()
}

// dictionaries are those in memory: all that are being written with, and some that are read with.
type dictionaries struct {
	terms terms

	mu    sync.Mutex
	each  map[slice]*dictionary
	idle  []*dictionary // those without users, the one that was used last at the end
	drops int           // how often a slice was begun to be dropped, and was dropped
}

// use returns the dictionary of a slice, which stays in memory until it is released.
func (d *dictionaries) use(db *pebble.DB, of slice) (*dictionary, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.each[of]
	if found == nil {
		it, err := db.NewIter(nil)
		if err != nil {
			return nil, fmt.Errorf("read the dictionary of %s: %w", of, err)
		}
		defer func() { _ = it.Close() }()
		found = newDictionary(of)
		if err := found.load(it, d.terms); err != nil {
			return nil, err
		}
		d.each[of] = found
	} else if found.users == 0 {
		d.idle = without(d.idle, found)
	}
	found.users++
	return found, nil
}

func (d *dictionaries) release(used *dictionary) {
	d.mu.Lock()
	defer d.mu.Unlock()
	used.users--
	if used.users > 0 || d.each[used.of] != used {
		return
	}
	d.idle = append(d.idle, used)
	size := 0
	for i := len(d.idle) - 1; i >= 0; i-- {
		if size += d.idle[i].memory(); size > maxIdleBytes {
			for _, old := range d.idle[:i+1] {
				delete(d.each, old.of)
			}
			d.idle = append([]*dictionary(nil), d.idle[i+1:]...)
			return
		}
	}
}

// drop forgets a slice, of which do deletes the rows. Nobody writes meanwhile.
func (d *dictionaries) drop(of slice, do func() error) error {
	d.forget(of)
	defer d.forget(of) // who read meanwhile may have loaded it
	return do()
}

func (d *dictionaries) forget(of slice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drops++
	if found := d.each[of]; found != nil {
		d.idle = without(d.idle, found)
		delete(d.each, of)
	}
}

// dropped tells apart times between which a slice was dropped, and says whether one is being dropped.
func (d *dictionaries) dropped() (times int, dropping bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.drops, d.drops%2 == 1
}

// memory is about what the dictionary takes.
func (d *dictionary) memory() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.seen)*8 + d.size + len(d.words)*wordOverhead
}

// read returns the words that there are. They do not change.
func (d *dictionary) read() []*word {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.words
}

// isStored is called when a word is on disk.
func (d *dictionary) isStored(w *word) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.stored = true
}

func without(from []*dictionary, one *dictionary) []*dictionary {
	for i, d := range from {
		if d == one {
			return append(from[:i:i], from[i+1:]...)
		}
	}
	return from
}
