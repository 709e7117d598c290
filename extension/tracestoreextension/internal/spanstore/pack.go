// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Packed, a message of OTLP is as it was, but for
//
//	fields that are stored elsewhere (IDs, and what is below a resource or scope), which are left out, and those that OTLP does not know;
//	an attribute that is in the dictionary: its field is the number of the word, as a varint;
//	an attribute whose name is in the dictionary: the name is the number of the word, as a varint.
//
// Neither of the two can be in OTLP, where these fields are texts.

// packer packs messages of a trace.
type packer struct {
	terms terms
	dict  *dictionary // locked by who packs; nil if there is none
	trace byte        // for the dictionary's sightings
	used  []*word     // that are not on disk

	found []uint64 // terms of the attributes that are indexed
	rich  uint64   // how many attributes and the like there were
}

// message appends a message, which is checked. It looks as its schema says.
func (p *packer) message(to, message []byte, of *schema) ([]byte, error) {
	for len(message) > 0 {
		f, rest, err := next(message)
		if err != nil {
			return to, err
		}
		r, err := of.rule(f)
		if err != nil {
			return to, err
		}
		switch {
		case !r.known || r.role == roleApart:
		case r.role == roleAttribute:
			if to, err = p.attribute(to, f); err != nil {
				return to, err
			}
		case r.role == roleAround:
			p.rich++
			to = protowire.AppendTag(to, f.number, f.wire)
			start := len(to)
			if to, err = p.message(to, f.value, r.of); err != nil {
				return to, err
			}
			to = insertLength(to, start)
		default:
			if r.of != nil {
				if err := check(f.value, r.of, 0); err != nil {
					return to, err
				}
			}
			to = append(to, f.raw...)
		}
		message = rest
	}
	return to, nil
}

func (p *packer) attribute(to []byte, f field) ([]byte, error) {
	p.rich++
	if p.dict != nil {
		if w := p.dict.attributes[string(f.value)]; w != nil {
			if w.indexed {
				p.found = append(p.found, w.term)
			}
			return p.reference(to, f.number, w), nil
		}
	}
	if err := check(f.value, ofKeyValue, 0); err != nil {
		return to, err
	}
	term, indexed := p.terms.of(f.value)
	if indexed {
		p.found = append(p.found, term)
	}
	if p.dict == nil {
		return append(to, f.raw...), nil
	}
	if p.dict.sighted(f.value, p.trace) {
		w := p.dict.add(wordAttribute, string(f.value))
		w.term, w.indexed = term, indexed
		return p.reference(to, f.number, w), nil
	}
	key, value, ok := plainKeyValue(f.value)
	if !ok {
		return append(to, f.raw...), nil
	}
	w := p.dict.keys[string(key)]
	if w == nil {
		if !p.dict.sighted(key, p.trace) {
			return append(to, f.raw...), nil
		}
		w = p.dict.add(wordKey, string(key))
	}
	to = protowire.AppendTag(to, f.number, f.wire)
	start := len(to)
	to = append(p.reference(to, fieldKey, w), value...)
	return insertLength(to, start), nil
}

func (p *packer) reference(to []byte, number protowire.Number, w *word) []byte {
	if !w.stored {
		p.used = append(p.used, w)
	}
	return protowire.AppendVarint(protowire.AppendTag(to, number, protowire.VarintType), w.number)
}

// plainKeyValue takes an attribute apart that has a key and a value and nothing else. The value is the field, with its tag.
func plainKeyValue(attribute []byte) (key, value []byte, ok bool) {
	first, rest, err := next(attribute)
	if err != nil || len(rest) == 0 {
		return nil, nil, false
	}
	second, rest, err := next(rest)
	if err != nil || len(rest) > 0 {
		return nil, nil, false
	}
	if first.number == fieldValue { // as our encoder writes it
		first, second = second, first
	}
	return first.value, second.raw, first.number == fieldKey && second.number == fieldValue
}

// insertLength puts the length of what starts there before it.
func insertLength(to []byte, start int) []byte {
	size := len(to) - start
	n := protowire.SizeVarint(uint64(size))
	for range n {
		to = append(to, 0)
	}
	copy(to[start+n:], to[start:start+size])
	protowire.AppendVarint(to[:start], uint64(size))
	return to
}

// unpack appends a packed message as it was.
func unpack(to, message []byte, of *schema, words []*word) ([]byte, error) {
	for len(message) > 0 {
		f, rest, err := next(message)
		if err != nil || f.number >= protowire.Number(len(of)) {
			return to, errDamaged
		}
		switch r := of[f.number]; {
		case r.role == roleAround:
			to = openMessage(to, f.number)
			start := len(to)
			if to, err = unpack(to, f.value, r.of, words); err != nil {
				return to, err
			}
			closeMessage(to, start)
		case r.role == roleAttribute && f.wire == protowire.VarintType:
			w, err := wordOf(f.scalar, wordAttribute, words)
			if err != nil {
				return to, err
			}
			to = append(protowire.AppendVarint(protowire.AppendTag(to, f.number, protowire.BytesType), uint64(len(w.text))), w.text...)
		case r.role == roleAttribute && len(f.value) > 0 && f.value[0] == fieldKey<<3|byte(protowire.VarintType):
			key, value, err := next(f.value)
			if err != nil {
				return to, errDamaged
			}
			w, err := wordOf(key.scalar, wordKey, words)
			if err != nil {
				return to, err
			}
			size := 1 + protowire.SizeBytes(len(w.text)) + len(value)
			to = protowire.AppendVarint(protowire.AppendTag(to, f.number, protowire.BytesType), uint64(size))
			to = protowire.AppendVarint(protowire.AppendTag(to, fieldKey, protowire.BytesType), uint64(len(w.text)))
			to = append(append(to, w.text...), value...)
		default:
			to = append(to, f.raw...)
		}
		message = rest
	}
	return to, nil
}

func wordOf(number uint64, kind byte, words []*word) (*word, error) {
	if number >= uint64(len(words)) || words[number].kind != kind {
		return nil, fmt.Errorf("%w: there is no word %d", errDamaged, number)
	}
	return words[number], nil
}
