// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

var _ jaegerstorage.Reader = (*Store)(nil)

// errEnough ends reading because the consumer has had enough.
var errEnough = errors.New("enough")

// GetTraces implements jaegerstorage.Reader.
func (s *Store) GetTraces(ctx context.Context, params []jaegerstorage.TraceParams) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) {
		err := s.read(func(v *view) error {
			for _, p := range params {
				if err := v.trace(ctx, p.TraceID, give(yield)); err != nil {
					return err
				}
			}
			return nil
		})
		finish(err, yield)
	}
}

// FindTraces implements jaegerstorage.Reader. Traces come the newest first.
func (s *Store) FindTraces(ctx context.Context, query jaegerstorage.Query) iter.Seq2[ptrace.Traces, error] {
	return func(yield func(ptrace.Traces, error) bool) {
		err := s.read(func(v *view) error {
			found, err := v.find(ctx, query)
			if err != nil {
				return err
			}
			for _, id := range found {
				if err := v.trace(ctx, id, give(yield)); err != nil {
					return err
				}
			}
			return nil
		})
		finish(err, yield)
	}
}

// FindTraceSummaries implements jaegerstorage.Reader.
func (s *Store) FindTraceSummaries(ctx context.Context, query jaegerstorage.Query) iter.Seq2[[]jaegerstorage.Summary, error] {
	return func(yield func([]jaegerstorage.Summary, error) bool) {
		err := s.read(func(v *view) error {
			found, err := v.find(ctx, query)
			if err != nil {
				return err
			}
			for _, id := range found {
				var sum summary
				if err := v.trace(ctx, id, sum.add); err != nil {
					return err
				}
				if !yield([]jaegerstorage.Summary{sum.of(id)}, nil) {
					return errEnough
				}
			}
			return nil
		})
		finish(err, yield)
	}
}

// Dependencies implements jaegerstorage.Reader. There are none: objects do not call each other.
func (s *Store) Dependencies(context.Context, time.Time, time.Duration) ([]jaegerstorage.Dependency, error) {
	return nil, nil
}

func give(yield func(ptrace.Traces, error) bool) func(ptrace.Traces) (bool, error) {
	return func(td ptrace.Traces) (bool, error) {
		if !yield(td, nil) {
			return false, errEnough
		}
		return true, nil
	}
}

// finish yields an error, unless it is the consumer's.
func finish[T any](err error, yield func(T, error) bool) {
	if err != nil && !errors.Is(err, errEnough) {
		var none T
		yield(none, err)
	}
}

// view is the store at one moment, for one who reads.
type view struct {
	s  *Store
	db *pebble.DB
	it *pebble.Iterator
	// dropped is how many slices had been dropped before.
	dropped int
	words   map[slice][]*word
}

func (s *Store) read(do func(*view) error) error {
	return s.use(func(db *pebble.DB) error {
		dropped, _ := s.words.dropped()
		it, err := db.NewIter(&pebble.IterOptions{UseL6Filters: true})
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		defer func() { _ = it.Close() }()
		return do(&view{s: s, db: db, it: it, dropped: dropped, words: map[slice][]*word{}})
	})
}

// wordsOf returns the dictionary of a slice, of this moment or later.
func (v *view) wordsOf(of slice) ([]*word, error) {
	if words, ok := v.words[of]; ok {
		return words, nil
	}
	used, err := v.s.words.use(v.db, of)
	if err != nil {
		return nil, err
	}
	words := used.read()
	v.s.words.release(used)
	if now, dropping := v.s.words.dropped(); dropping || now != v.dropped {
		// The slice may have been dropped, and begun anew: what the view sees has the words that there were then.
		if words, err = v.ownWords(of); err != nil {
			return nil, err
		}
	}
	v.words[of] = words
	return words, nil
}

func (v *view) ownWords(of slice) ([]*word, error) {
	it, err := v.it.Clone(pebble.CloneOptions{})
	if err != nil {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	defer func() { _ = it.Close() }()
	own := newDictionary(of)
	if err := own.load(it, nil); err != nil {
		return nil, err
	}
	return own.words, nil
}

// trace calls do for each chunk of a trace, from all slices. A span that is in two, because a copy of it had another start, is
// taken from the newer.
func (v *view) trace(ctx context.Context, id pcommon.TraceID, do func(ptrace.Traces) (bool, error)) error {
	in, err := v.slicesOf(ctx, id)
	if err != nil {
		return err
	}
	var skip func(pcommon.SpanID) bool
	if len(in) > 1 {
		seen := map[pcommon.SpanID]struct{}{}
		skip = func(span pcommon.SpanID) bool {
			_, before := seen[span]
			seen[span] = struct{}{}
			return before
		}
	}
	for _, s := range in {
		words, err := v.wordsOf(s)
		if err != nil {
			return err
		}
		key := traceKey(s, id)
		v.it.SeekPrefixGE(key)
		if err := readTrace(v.it, words, key, skip, do); err != nil {
			return err
		}
	}
	return nil
}

// slicesOf returns the slices that have spans of a trace. The Bloom filters make most seeks cheap.
func (v *view) slicesOf(ctx context.Context, id pcommon.TraceID) ([]slice, error) {
	var in []slice
	for _, s := range v.s.slices.between(time.Time{}, time.Time{}) {
		if v.it.SeekPrefixGE(traceKey(s, id)) {
			in = append(in, s)
		}
		if err := v.it.Error(); err != nil {
			return nil, fmt.Errorf("read the store: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return in, nil
}
