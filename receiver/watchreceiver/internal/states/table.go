// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package states // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"

import (
	"sync"
	"sync/atomic"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Kept says how much of an object's state is kept.
type Kept uint8

// From nothing to all.
const (
	Nothing Kept = iota
	Metadata
	Full
)

// State is the last state of an object.
type State struct {
	UID, ResourceVersion string
	Kept                 Kept
	packed               []byte
	round                uint32
}

// overhead is what it takes to keep a state, besides the bytes in it: its place in the map, the headers of its strings.
const overhead = 160

func (s *State) size(key string) int64 {
	return int64(len(key) + len(s.UID) + len(s.ResourceVersion) + cap(s.packed) + overhead)
}

// Budget bounds the states of all tables of it. It is safe for concurrent use.
type Budget struct {
	limit   int64
	used    atomic.Int64
	objects atomic.Int64
	shared  *shared
}

// NewBudget returns a budget of that many bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, shared: newShared()} }

// Used returns the bytes in use, and Objects for how many objects.
func (b *Budget) Used() int64 { return b.used.Load() }

// Objects returns the number of objects of which a state is kept.
func (b *Budget) Objects() int64 { return b.objects.Load() }

// take reserves bytes up to a share of the limit, in percent.
func (b *Budget) take(bytes, percent int64) bool {
	if b.used.Add(bytes) > b.limit/100*percent {
		b.used.Add(-bytes)
		return false
	}
	return true
}

// Table holds the states of the objects of one resource. It is safe for concurrent use.
type Table struct {
	budget *Budget

	mu     sync.Mutex // guards all below
	states map[string]State
	codec  codec
	round  uint32
	// missed is set when something was not kept: from then on that an object is not known does not mean that it is new.
	missed bool
}

// NewTable returns an empty table.
func (b *Budget) NewTable() *Table {
	return &Table{budget: b, states: map[string]State{}, codec: codec{shared: b.shared}}
}

// Get returns the state of an object, if there is one.
func (t *Table) Get(key string) (State, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.states[key]
	return s, ok
}

// Text unpacks a state: the whole object, or one that has nothing but metadata.
func (t *Table) Text(s State) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.codec.unpack(s.packed)
}

// Put replaces an object's state and returns how much of it was kept. The text must be an object, redacted.
func (t *Table) Put(key, uid, resourceVersion string, text []byte) Kept {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(key)
	before := t.codec.size()
	defer func() { t.budget.used.Add(t.codec.size() - before) }()
	s := State{UID: uid, ResourceVersion: resourceVersion, Kept: Full, packed: t.codec.pack(text), round: t.round}
	if t.budget.take(s.size(key), 90) {
		t.keep(key, s)
		return Full
	}
	s.Kept, s.packed = Metadata, t.codec.pack(MetadataOf(text))
	if t.budget.take(s.size(key), 100) {
		t.keep(key, s)
		return Metadata
	}
	t.missed = true
	return Nothing
}

func (t *Table) keep(key string, s State) {
	t.states[key] = s
	t.budget.objects.Add(1)
}

// Remove forgets an object.
func (t *Table) Remove(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(key)
}

func (t *Table) drop(key string) {
	if s, ok := t.states[key]; ok {
		delete(t.states, key)
		t.budget.used.Add(-s.size(key))
		t.budget.objects.Add(-1)
	}
}

// Missed reports whether the table lacks objects that it was given.
func (t *Table) Missed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.missed
}

// Touch marks an object as seen in this round.
func (t *Table) Touch(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.states[key]; ok {
		s.round = t.round
		t.states[key] = s
	}
}

// NextRound begins a round.
func (t *Table) NextRound() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.round++
}

// Unseen returns the keys of the objects that were neither put nor touched in this round.
func (t *Table) Unseen() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var keys []string
	for key := range t.states {
		if t.states[key].round != t.round {
			keys = append(keys, key)
		}
	}
	return keys
}

// Clear forgets everything and returns how many objects that were.
func (t *Table) Clear() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.budget.used.Add(-t.codec.size())
	t.codec = codec{shared: t.codec.shared}
	n := len(t.states)
	for key := range t.states {
		t.drop(key)
	}
	return n
}

// MetadataOf returns an object with only the metadata of another.
func MetadataOf(text []byte) []byte {
	out := []byte(`{"metadata":{}}`)
	s := jsonscan.New(text)
	_ = s.Object(func(key []byte) error {
		if string(key) != "metadata" {
			return nil
		}
		raw, err := s.Raw()
		if err == nil {
			out = append(append([]byte(`{"metadata":`), raw...), '}')
		}
		return err
	})
	return out
}
