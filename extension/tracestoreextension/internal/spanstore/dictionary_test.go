// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// alike writes a span in each of some traces that have an attribute in common.
func alike(tb testing.TB, s *Store, from, to uint64, common string) {
	tb.Helper()
	for trace := from; trace < to; trace++ {
		write(tb, s, told{trace: trace, id: 1, service: "prod", name: "n", span: map[string]any{"user": common, "own": int64(trace)}})
	}
}

func requireAlike(tb testing.TB, s *Store, from, to uint64, common string) {
	tb.Helper()
	for trace := from; trace < to; trace++ {
		got := get(tb, s, trace)
		require.Len(tb, got, 1)
		require.Equal(tb, map[string]any{"user": common, "own": int64(trace)}, got[1].Attributes().AsRaw())
	}
	require.Len(tb, find(tb, s, query(func(q *jaegerstorage.Query) { q.Attributes.PutStr("user", common) })), int(to-from))
}

// TestWhatSpansHaveInCommonIsStoredOnce, and is found by the index all the same.
func TestWhatSpansHaveInCommonIsStoredOnce(t *testing.T) {
	s := openInMemory(t)
	common := strings.Repeat("alice ", 50)
	alike(t, s, 1, 50, common)
	requireAlike(t, s, 1, 50, common)
	it, err := s.db.NewIter(nil)
	require.NoError(t, err)
	long := 0
	for ok := it.First(); ok; ok = it.Next() {
		if len(it.Value()) > len(common) {
			long++
		}
	}
	require.NoError(t, it.Close())
	assert.LessOrEqual(t, long, sightings+1)
}

// TestADictionaryGoesOn after a start, after a crash between words and their spans, and after it was no longer in memory.
func TestADictionaryGoesOn(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := open(t, testOptions(fs, "store"))
	alike(t, s, 1, 20, "alice")
	// A batch that was made and never committed has words that others must not rely on.
	err := s.use(func(db *pebble.DB) error {
		r := newRows(db, s.indexed, s.words, 0)
		defer r.close()
		for trace := range uint64(2 * sightings) {
			if err := r.add(encode(spans(told{trace: 100 + trace, id: 1, service: "prod", span: map[string]any{"user": "bob"}}))); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	words := len(s.words.each[sliceAtNoon].words)
	alike(t, s, 200, 220, "bob")
	assert.Len(t, s.words.each[sliceAtNoon].words, words)
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	for _, s := range []*Store{s, open(t, testOptions(crashed, "store"))} {
		requireAlike(t, s, 1, 20, "alice")
		requireAlike(t, s, 200, 220, "bob")
		s.words.mu.Lock()
		s.words.each, s.words.idle = map[slice]*dictionary{}, nil
		s.words.mu.Unlock()
		alike(t, s, 300, 320, "carol")
		requireAlike(t, s, 200, 220, "bob")
		requireAlike(t, s, 300, 320, "carol")
	}
}

// TestWhoReadsADroppedSliceReadsItAsItWas, although it was begun again with other words.
func TestWhoReadsADroppedSliceReadsItAsItWas(t *testing.T) {
	s := openInMemory(t)
	alike(t, s, 1, 20, "alice")
	require.NoError(t, s.read(func(v *view) error {
		require.NoError(t, s.drop(t.Context(), s.db, sliceAtNoon, ReasonAge))
		alike(t, s, 50, 70, "bob")
		n := 0
		err := v.trace(t.Context(), traceID(19), func(td ptrace.Traces) (bool, error) {
			user, _ := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().Get("user")
			assert.Equal(t, "alice", user.Str())
			n++
			return true, nil
		})
		assert.Equal(t, 1, n)
		return err
	}))
	requireAlike(t, s, 50, 70, "bob")
	assert.Empty(t, get(t, s, 19))
}

// TestDictionariesAreBounded, however many hours are written, and whatever is in them.
func TestDictionariesAreBounded(t *testing.T) {
	s := openInMemory(t)
	var odd []told
	for hour := range uint64(4 * maxDictionaries) {
		odd = append(odd, told{trace: hour + 1, id: 1, service: "prod", at: time.Duration(hour) * time.Hour, span: map[string]any{"user": "alice"}})
	}
	for range 2 * sightings {
		write(t, s, odd...)
	}
	for _, one := range odd {
		assert.Len(t, get(t, s, one.trace), 1)
	}
	d := newDictionary(1)
	for i := range 2 * maxWords {
		text := fmt.Sprintf("%0*d", 100, i)
		for trace := range byte(sightings) {
			if d.sighted([]byte(text), trace) {
				d.add(wordKey, text)
			}
		}
	}
	assert.NotEmpty(t, d.words)
	assert.LessOrEqual(t, len(d.words), maxWords)
	assert.LessOrEqual(t, d.size, maxWordBytes+maxWordLen)
	assert.False(t, newDictionary(1).sighted(make([]byte, maxWordLen+1), 1))
	all := &dictionaries{each: map[slice]*dictionary{}}
	for of := range slice(100) {
		used, err := all.use(s.db, of)
		require.NoError(t, err)
		used.size = 1 << 20
		all.release(used)
	}
	assert.Less(t, len(all.each), 9)
	assert.Len(t, all.idle, len(all.each))
}

// TestWordsAreSharedByWritersAtOnce: each finds what the others began.
func TestWordsAreSharedByWritersAtOnce(t *testing.T) {
	s := openInMemory(t)
	var writers sync.WaitGroup
	for w := range uint64(4) {
		writers.Go(func() {
			for i := range uint64(50) {
				td := spans(told{trace: w*1000 + i + 1, id: 1, service: "prod", name: "n", span: map[string]any{"user": "alice", "own": int64(w*1000 + i + 1)}})
				if _, err := s.Write(encode(td)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	for w := range uint64(4) {
		for i := range uint64(50) {
			require.Equal(t, map[string]any{"user": "alice", "own": int64(w*1000 + i + 1)}, get(t, s, w*1000+i+1)[1].Attributes().AsRaw())
		}
	}
}

// TestAnotherFormatIsRefused with words that say what to do.
func TestAnotherFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	before := *pebble.DefaultComparer
	before.Name = "kelemetry.spanstore.v1"
	db, err := pebble.Open("store", &pebble.Options{FS: fs, Comparer: &before, Merger: richerWins, Logger: &logger{zap.NewNop().Sugar()}})
	require.NoError(t, err)
	require.NoError(t, db.Set([]byte("a"), nil, pebble.Sync))
	require.NoError(t, db.Close())
	_, err = Open(testOptions(fs, "store"))
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "give it another directory")
}

// TestWhatIsNotOTLPIsRefused as a whole.
func TestWhatIsNotOTLPIsRefused(t *testing.T) {
	s := openInMemory(t)
	good := encode(everything())
	deep := []byte{}
	for range 2 * maxDepth {
		deep = appendMessage(nil, 5, appendMessage(nil, 1, deep)) // an array in an array
	}
	attribute := appendMessage(appendMessage(nil, fieldKey, []byte("deep")), fieldValue, deep)
	for name, request := range map[string][]byte{
		"cut":        good[:len(good)-1],
		"not it":     []byte("GET / HTTP/1.1"),
		"short ID":   appendMessage(nil, 1, appendMessage(nil, 2, appendMessage(nil, 2, appendMessage(nil, fieldTraceID, []byte("short"))))),
		"wrong type": appendMessage(nil, 1, appendMessage(nil, 2, appendMessage(nil, 2, appendMessage(nil, fieldStart, nil)))),
		"deep":       appendMessage(nil, 1, appendMessage(nil, 2, appendMessage(nil, 2, appendMessage(nil, 9, attribute)))),
	} {
		t.Run(name, func(t *testing.T) {
			written, err := s.Write(append(append([]byte(nil), good...), request...))
			require.ErrorIs(t, err, ErrMalformed)
			assert.Zero(t, written)
			assert.Empty(t, get(t, s, 1))
		})
	}
}
