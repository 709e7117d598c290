// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	stdslices "slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// defaultLimit is how many traces a query without a limit is answered with.
const defaultLimit = 20

// find returns the traces that have a span as the query says, the newest first. The index says which traces may have one, exact to what
// is indexed and to a bucket of time; then their spans are read.
func (v *view) find(ctx context.Context, query jaegerstorage.Query) ([]pcommon.TraceID, error) {
	f := &finding{view: v, ctx: ctx, match: newMatch(query), limit: query.Limit, found: map[pcommon.TraceID]struct{}{}}
	if f.limit <= 0 {
		f.limit = defaultLimit
	}
	for _, in := range v.s.slices.between(query.StartMin, query.StartMax) {
		alternatives, err := f.terms(in, query)
		if err != nil {
			return nil, err
		}
		if err := f.in(in, alternatives); err != nil {
			return nil, err
		}
		if f.done() {
			break
		}
	}
	if f.read >= v.s.o.MaxRead && len(f.ids) < f.limit {
		v.s.o.Observer.SearchCut()
		v.s.cutWarnings.Do(func() {
			v.s.o.Logger.Warn("A search gave up, and may have missed traces: ask for a shorter time, index an attribute of it, or raise max_traces_read. "+
				"More such warnings are left out for a minute", zap.Int("traces_read", f.read), zap.Int("found", len(f.ids)), zap.String("service", query.Service),
				zap.String("operation", query.Operation), zap.Any("attributes", query.Attributes.AsRaw()))
		})
	}
	return f.ids, nil
}

// finding is a search under way.
type finding struct {
	*view
	ctx   context.Context
	match *match
	limit int

	ids   []pcommon.TraceID
	found map[pcommon.TraceID]struct{}
	read  int // how many traces
}

func (f *finding) done() bool { return len(f.ids) >= f.limit || f.read >= f.s.o.MaxRead }

// terms returns the terms that a span has to have, all of one of the alternatives. It is each of the services that there are, if the query
// names no service and nothing else that is indexed.
func (f *finding) terms(in slice, query jaegerstorage.Query) ([][]uint64, error) {
	var terms []uint64
	for key, value := range query.Attributes.All() {
		if f.s.slices.isIndexed(in, key) {
			terms = append(terms, hashTerm(key, value.AsString()))
		}
	}
	if query.Service != "" && query.Operation != "" {
		terms = append(terms, hashTerm(termOperation, query.Service+"\x00"+query.Operation))
	}
	if len(terms) > 0 {
		return [][]uint64{terms}, nil
	}
	if query.Service != "" {
		return [][]uint64{{hashTerm(keyService, query.Service)}}, nil
	}
	services, err := f.services(f.ctx, in)
	if err != nil {
		return nil, err
	}
	var alternatives [][]uint64
	for _, service := range services {
		term := hashTerm(keyService, service)
		if query.Operation != "" {
			term = hashTerm(termOperation, service+"\x00"+query.Operation)
		}
		alternatives = append(alternatives, []uint64{term})
	}
	return alternatives, nil
}

// in searches a slice, bucket by bucket.
func (f *finding) in(in slice, alternatives [][]uint64) error {
	missed := map[string]struct{}{} // short IDs of traces that were read and have no such span in this slice
	for bucket := bucketsPerSlice - 1; bucket >= 0; bucket-- {
		var err error
		if bucket, err = f.newest(in, alternatives, bucket); err != nil || bucket < 0 {
			return err
		}
		from := in.start().Add(time.Duration(bucket) * bucketLength)
		if !f.match.startMax.IsZero() && from.After(f.match.startMax) || !f.match.startMin.IsZero() && !from.Add(bucketLength).After(f.match.startMin) {
			continue
		}
		candidates := map[string]byte{}
		for _, terms := range alternatives {
			if err := f.candidates(in, terms, byte(bucket), candidates); err != nil {
				return err
			}
		}
		if err := f.check(in, candidates, missed); err != nil || f.done() {
			return err
		}
	}
	return nil
}

// newest returns the newest bucket that one of the alternatives may be in, not newer than a given one; or less than 0.
func (f *finding) newest(in slice, alternatives [][]uint64, from int) (int, error) {
	found := -1
	for _, terms := range alternatives {
		if f.it.SeekPrefixGE(bucketKey(in, terms[0], byte(from))) && len(f.it.Key()) == indexLen {
			found = max(found, int(^f.it.Key()[termLen]))
		}
		if err := f.it.Error(); err != nil {
			return 0, fmt.Errorf("search: %w", err)
		}
	}
	return found, f.ctx.Err()
}

// candidates adds the short IDs of traces that have all terms in a bucket, and when. The rarest term is not known, so the others are looked
// up for each that the first has.
func (f *finding) candidates(in slice, terms []uint64, bucket byte, to map[string]byte) error {
	prefix := bucketKey(in, terms[0], bucket)
	var short []string
	for ok := f.it.SeekPrefixGE(prefix); ok && bytes.HasPrefix(f.it.Key(), prefix) && len(f.it.Key()) == indexLen; ok = f.it.Next() {
		value, err := f.it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("search: %w", err)
		}
		id := string(f.it.Key()[len(prefix):])
		if len(value) == 1 {
			to[id] = max(to[id], value[0])
		}
		short = append(short, id)
		if len(short)%1024 == 0 && f.ctx.Err() != nil {
			return f.ctx.Err()
		}
	}
	for _, term := range terms[1:] {
		prefix := bucketKey(in, term, bucket)
		for _, id := range short {
			key := stdslices.Concat(prefix, []byte(id))
			if !f.it.SeekPrefixGE(key) || !bytes.Equal(f.it.Key(), key) {
				delete(to, id)
			}
		}
	}
	if err := f.it.Error(); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return f.ctx.Err()
}

// check reads the candidates, the newest first, until there are enough.
func (f *finding) check(in slice, candidates map[string]byte, missed map[string]struct{}) error {
	ids := make([]string, 0, len(candidates))
	for id := range candidates {
		if _, ok := missed[id]; !ok {
			ids = append(ids, id)
		}
	}
	stdslices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(candidates[b], candidates[a]), cmp.Compare(a, b))
	})
	for _, id := range ids {
		if f.done() {
			return nil
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
		missed[id] = struct{}{}
		if err := f.checkOne(in, id); err != nil {
			return err
		}
	}
	return nil
}

// checkOne reads the traces of a slice that begin with the short ID: one, but for a rare chance.
func (f *finding) checkOne(in slice, short string) error {
	prefix := append(in.prefix(kindTrace), short...)
	words, err := f.wordsOf(in)
	if err != nil {
		return err
	}
	for ok := f.it.SeekGE(prefix); ok && bytes.HasPrefix(f.it.Key(), prefix); ok = f.it.Valid() {
		key := append([]byte(nil), f.it.Key()[:traceLen]...)
		id := pcommon.TraceID(key[prefixLen:])
		f.read++
		matches := false
		if err := readTrace(f.it, words, key, nil, func(td ptrace.Traces) (bool, error) {
			matches = f.match.any(td)
			return !matches, nil
		}); err != nil {
			return err
		}
		if _, before := f.found[id]; matches && !before {
			f.found[id] = struct{}{}
			f.ids = append(f.ids, id)
		}
		if matches { // the rest of it was not read
			f.it.SeekGE(after(key))
		}
	}
	if err := f.it.Error(); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}
