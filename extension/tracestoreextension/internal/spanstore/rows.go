// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// maxDictionaries is how many slices' dictionaries a batch uses. Spans of others, which there are only if times are odd, are written out.
const maxDictionaries = 8

// minBatchSize is more than what the library needs for a batch without rows.
const minBatchSize = 1 << 10

// rows are what a batch of spans becomes.
type rows struct {
	db    *pebble.DB
	words *dictionaries
	batch *pebble.Batch
	pack  packer
	// dictionaries are those of the slices that the batch has spans of; nil for those that do without.
	dictionaries map[slice]*dictionary
	using        int
	// What this batch has set: index rows, and to when; contexts; operations and services; and words.
	indexRows map[indexRow]byte
	contexts  map[contextRow]struct{}
	names     map[nameRow]struct{}
	wordRows  map[*word]*dictionary
	// stored and invalid are how many spans were taken, and were refused for want of an ID.
	stored, invalid int
	packed          []byte
}

type indexRow struct {
	in     slice
	term   uint64
	bucket byte
	trace  [shortLen]byte
}

type contextRow struct {
	in    slice
	trace pcommon.TraceID
	hash  uint64
}

// nameRow is that of a service, or of an operation.
type nameRow struct {
	in             slice
	kind, spanKind byte
	service, name  string
}

// newRows begins a batch of about a size.
func newRows(db *pebble.DB, indexed terms, words *dictionaries, size int) *rows {
	return &rows{
		db: db, words: words, batch: db.NewBatchWithSize(minBatchSize + size), pack: packer{terms: indexed}, dictionaries: map[slice]*dictionary{},
		indexRows: map[indexRow]byte{}, contexts: map[contextRow]struct{}{}, names: map[nameRow]struct{}{}, wordRows: map[*word]*dictionary{},
	}
}

func (r *rows) close() {
	for _, used := range r.dictionaries {
		if used != nil {
			r.words.release(used)
		}
	}
	_ = r.batch.Close()
}

// committed is called when the batch is on disk.
func (r *rows) committed() {
	for w, of := range r.wordRows {
		of.isStored(w)
	}
}

// add makes the rows of all spans of a request.
func (r *rows) add(request []byte) error {
	err := each(request, fieldResourceSpans, func(resourceSpans []byte) error {
		service, packed := serviceOf(resourceSpans), false
		if err := each(resourceSpans, fieldSpansBelow, func(scopeSpans []byte) error {
			c := &around{resourceSpans: resourceSpans, scopeSpans: scopeSpans, service: service}
			if err := each(scopeSpans, fieldSpansBelow, func(span []byte) error { return r.span(c, span) }); err != nil {
				return err
			}
			packed = packed || c.packed
			if c.packed {
				return nil
			}
			return check(scopeSpans, ofScopeSpans, 0)
		}); err != nil || packed {
			return err
		}
		return check(resourceSpans, ofResourceSpans, 0)
	})
	if errors.Is(err, errWire) {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return err
}

// around is what is around spans.
type around struct {
	resourceSpans, scopeSpans []byte
	service                   string

	packed bool
	hash   uint64          // of what it says, whatever the dictionary
	in     slice           // whose dictionary was used last
	value  []byte          // of a row
	found  []uint64        // terms
	trace  pcommon.TraceID // that has the row
}

// head are the fields of a span that say where its row is.
type head struct {
	trace pcommon.TraceID
	id    pcommon.SpanID
	start pcommon.Timestamp
	kind  byte
	name  []byte
}

func headOf(span []byte) (h head, err error) {
	for len(span) > 0 {
		f, rest, err := next(span)
		if err != nil {
			return h, err
		}
		if _, err := ofSpan.rule(f); err != nil {
			return h, err
		}
		switch f.number {
		case fieldTraceID:
			h.trace = pcommon.TraceID{}
			copy(h.trace[:], f.value)
		case fieldSpanID:
			h.id = pcommon.SpanID{}
			copy(h.id[:], f.value)
		case fieldName:
			h.name = f.value
		case fieldKind:
			h.kind = byte(f.scalar)
		case fieldStart:
			h.start = pcommon.Timestamp(f.scalar)
		}
		span = rest
	}
	return h, nil
}

// span makes the rows of a span.
func (r *rows) span(c *around, span []byte) error {
	h, err := headOf(span)
	if err != nil {
		return err
	}
	if h.trace.IsEmpty() || h.id.IsEmpty() {
		r.invalid++
		return check(span, ofSpan, 0) // what is packed is checked anyhow
	}
	in, offset := sliceOf(h.start)
	dict, err := r.dictionary(in)
	if err != nil {
		return err
	}
	if err := r.context(c, in, dict, h.trace); err != nil {
		return err
	}
	r.stored++
	if r.packed, err = r.packWith(dict, h.trace, r.packed[:0], span, ofSpan); err != nil {
		return err
	}
	header := spanHead{rich: r.pack.rich, size: uint64(len(span)), context: c.hash}.append(make([]byte, 0, 32))
	op := r.batch.MergeDeferred(rowLen, len(header)+len(r.packed))
	putSpanKey(op.Key, in, h.trace, h.id)
	copy(op.Value[copy(op.Value, header):], r.packed)
	if err := op.Finish(); err != nil {
		return err
	}
	return r.index(c, in, offset, h)
}

// dictionary returns the dictionary of a slice, if there is one.
func (r *rows) dictionary(of slice) (*dictionary, error) {
	if used, ok := r.dictionaries[of]; ok || r.using == maxDictionaries {
		r.dictionaries[of] = used
		return used, nil
	}
	used, err := r.words.use(r.db, of)
	if err != nil {
		return nil, err
	}
	r.dictionaries[of] = used
	r.using++
	return used, nil
}

// packWith appends a message, packed, and sets what the packer tells about it. Words that are new are set, too.
func (r *rows) packWith(dict *dictionary, trace pcommon.TraceID, to, message []byte, of *schema) ([]byte, error) {
	p := &r.pack
	p.dict, p.trace, p.rich, p.found, p.used = dict, trace[0], 0, p.found[:0], p.used[:0]
	if dict != nil {
		dict.mu.Lock()
		defer dict.mu.Unlock()
	}
	to, err := p.message(to, message, of)
	if err != nil {
		return to, err
	}
	for _, w := range p.used {
		if _, ok := r.wordRows[w]; ok {
			continue
		}
		r.wordRows[w] = dict
		if err := r.batch.Set(wordRow(dict.of, w.number), w.value(), nil); err != nil {
			return to, err
		}
	}
	return to, nil
}

// context sets what is around spans of a trace, unless it was set.
func (r *rows) context(c *around, in slice, dict *dictionary, trace pcommon.TraceID) error {
	if c.packed && c.in == in && c.trace == trace {
		return nil
	}
	if !c.packed || c.in != in {
		if err := r.packAround(c, in, dict, trace); err != nil {
			return err
		}
	}
	c.trace = trace
	row := contextRow{in: in, trace: trace, hash: c.hash}
	if _, ok := r.contexts[row]; ok {
		return nil
	}
	r.contexts[row] = struct{}{}
	return r.batch.Set(contextKey(in, trace, c.hash), c.value, nil)
}

func (r *rows) packAround(c *around, in slice, dict *dictionary, trace pcommon.TraceID) error {
	resource, err := r.packWith(dict, trace, nil, c.resourceSpans, ofResourceSpans)
	if err != nil {
		return err
	}
	c.found = append(c.found[:0], r.pack.found...)
	scope, err := r.packWith(dict, trace, nil, c.scopeSpans, ofScopeSpans)
	if err != nil {
		return err
	}
	c.found = append(c.found, r.pack.found...)
	if !c.packed {
		c.hash, c.packed = hashAround(c.resourceSpans, c.scopeSpans), true
	}
	c.in, c.value = in, contextValue(resource, scope)
	return nil
}

// hashAround names what is around spans, as OTLP says it.
func hashAround(resourceSpans, scopeSpans []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	for _, message := range [][]byte{resourceSpans, scopeSpans} {
		for len(message) > 0 {
			f, rest, err := next(message)
			if err != nil {
				break // it was checked
			}
			if f.number != fieldSpansBelow {
				_, _ = d.Write(f.raw)
			}
			message = rest
		}
		_, _ = d.Write([]byte{0})
	}
	return d.Sum64()
}

// index makes the rows by which a span is found.
func (r *rows) index(c *around, in slice, offset time.Duration, h head) error {
	row := indexRow{in: in, bucket: byte(offset / bucketLength), trace: [shortLen]byte(h.trace[:shortLen])}
	when := byte(offset % bucketLength * 256 / bucketLength)
	span := [...]uint64{hashTerm(keyService, c.service), hashOperation(c.service, h.name)}
	for _, terms := range [][]uint64{c.found, r.pack.found, span[:]} {
		for _, term := range terms {
			row.term = term
			if err := r.setLatest(row, when); err != nil {
				return err
			}
		}
	}
	if err := r.setName(nameRow{in: in, kind: kindService, service: c.service}); err != nil {
		return err
	}
	return r.setName(nameRow{in: in, kind: kindOperation, service: c.service, spanKind: h.kind, name: string(h.name)})
}

// setLatest sets an index row unless this batch has set it to the same or later.
func (r *rows) setLatest(row indexRow, when byte) error {
	if before, ok := r.indexRows[row]; ok && before >= when {
		return nil
	}
	r.indexRows[row] = when
	return r.batch.Set(row.key(), []byte{when}, nil)
}

func (r *rows) setName(row nameRow) error {
	if _, ok := r.names[row]; ok {
		return nil
	}
	r.names[row] = struct{}{}
	if row.kind == kindService {
		return r.batch.Set(serviceKey(row.in, row.service), nil, nil)
	}
	return r.batch.Set(operationKey(row.in, row.service, row.spanKind, row.name), nil, nil)
}
