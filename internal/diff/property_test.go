// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/internal/diff"
)

// step is an object before and after a write.
type step struct {
	group, kind   string
	before, after []byte
}

// recorded returns every change of an object that the recorded audit log shows, in bodies as the API server wrote them,
// without managedFields.
func recorded(tb testing.TB) []step {
	tb.Helper()
	file, err := os.Open("../../integration/testdata/recording/audit.json.gz")
	require.NoError(tb, err)
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	require.NoError(tb, err)
	lines := bufio.NewScanner(unzip)
	lines.Buffer(nil, 16<<20)
	last := map[string][]byte{}
	var steps []step
	for lines.Scan() {
		var event struct {
			Verb           string
			ObjectRef      struct{ APIGroup, Resource, Subresource string }
			ResponseObject map[string]any
		}
		require.NoError(tb, json.Unmarshal(lines.Bytes(), &event))
		meta, _ := event.ResponseObject["metadata"].(map[string]any)
		kind, _ := event.ResponseObject["kind"].(string)
		if meta == nil || meta["uid"] == nil || kind == "" || event.ObjectRef.Subresource != "" && event.ObjectRef.Subresource != "status" {
			continue
		}
		delete(meta, "managedFields")
		body, err := json.Marshal(event.ResponseObject)
		require.NoError(tb, err)
		uid := fmt.Sprint(meta["uid"])
		if before := last[uid]; before != nil && !bytes.Equal(before, body) {
			steps = append(steps, step{event.ObjectRef.APIGroup, kind, before, body})
		}
		last[uid] = body
	}
	require.NoError(tb, lines.Err())
	require.Greater(tb, len(steps), 300)
	return steps
}

// TestRecordedChangesLeadFromOldToNew and TestNothingChangedIsNothing are the two laws of a diff.
func TestRecordedChangesLeadFromOldToNew(t *testing.T) {
	d := diff.New(diff.Options{Noise: diff.DefaultNoise()})
	for _, s := range recorded(t) {
		got, err := d.Compare(s.before, s.after, diff.SchemaOf(s.group, s.kind))
		require.NoError(t, err)
		requireLeads(t, s.before, s.after, got)
	}
}

func TestNothingChangedIsNothing(t *testing.T) {
	d := diff.New(diff.Options{})
	for _, s := range recorded(t) {
		got, err := d.Compare(s.after, bytes.Clone(s.after), diff.SchemaOf(s.group, s.kind))
		require.NoError(t, err)
		assert.True(t, got.IsEmpty())
	}
}

func FuzzCompare(f *testing.F) {
	for i, s := range recorded(f) {
		if i%40 == 0 {
			f.Add(s.before, s.after, s.group, s.kind)
		}
	}
	f.Add([]byte(`{"a":[{"name":"x"},{"name":"y"}]}`), []byte(`{"a":[{"name":"y","b":1},{"name":"z"}]}`), "", "")
	f.Add([]byte(`{"metadata":{"finalizers":["a","b"]}}`), []byte(`{"metadata":{"finalizers":["b","a",1]}}`), "", "Pod")
	f.Add([]byte(`[1,[2]]`), []byte(`{"":{"":null}}`), "", "Pod")
	d := diff.New(diff.Options{Noise: diff.DefaultNoise()})
	f.Fuzz(func(t *testing.T, before, after []byte, group, kind string) {
		_, err := d.Compare(before, after, diff.SchemaOf(group, kind))
		valid := json.Valid(before) && json.Valid(after) || bytes.Equal(before, after)
		require.Equal(t, valid, err == nil, "%v", err)
		// Duplicate members and broken UTF-8 are not compared further: API servers write neither.
		before, okBefore := normal(before)
		after, okAfter := normal(after)
		if !okBefore || !okAfter {
			return
		}
		got, err := d.Compare(before, after, diff.SchemaOf(group, kind))
		require.NoError(t, err)
		requireLeads(t, before, after, got)
		for _, c := range got.Changes {
			require.True(t, c.Old == nil || json.Valid(c.Old))
			require.True(t, c.New == nil || json.Valid(c.New))
		}
	})
}

func normal(text []byte) ([]byte, bool) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if !json.Valid(text) || decoder.Decode(&value) != nil {
		return nil, false
	}
	out, err := json.Marshal(value)
	return out, err == nil
}

// requireLeads applies a result to the old document, which must give the new one, but for the order of lists.
func requireLeads(t *testing.T, before, after []byte, result diff.Result) {
	t.Helper()
	value := decode(t, before)
	for _, c := range slices.Concat(result.Changes, result.Noise) {
		if !c.Reordered {
			value = apply(t, value, c.Path, c)
		}
	}
	require.Equal(t, sorted(decode(t, after)), sorted(value), "changes %q, noise %q", texts(result.Changes), texts(result.Noise))
}

// removed stands for items of a list that are gone until all changes were applied: indices must not move meanwhile.
type removed struct{}

func apply(t *testing.T, value any, path diff.Path, c diff.Change) any {
	t.Helper()
	if len(path) == 0 {
		if c.New == nil {
			return removed{}
		}
		return decode(t, c.New)
	}
	switch s := path[0]; s.Kind {
	case diff.Field:
		object := value.(map[string]any)
		if object[s.Field] = apply(t, object[s.Field], path[1:], c); object[s.Field] == any(removed{}) {
			delete(object, s.Field)
		}
		return object
	case diff.Indexed:
		list := value.([]any)
		if s.Index == len(list) {
			list = append(list, nil)
		}
		list[s.Index] = apply(t, list[s.Index], path[1:], c)
		return list
	default:
		list := value.([]any)
		at := slices.IndexFunc(list, func(item any) bool { return matches(t, item, s) })
		if at < 0 {
			at = len(list)
			list = append(list, nil)
		}
		list[at] = apply(t, list[at], path[1:], c)
		return list
	}
}

func matches(t *testing.T, item any, s diff.Segment) bool {
	t.Helper()
	if s.Kind == diff.Valued {
		return encode(t, item) == encode(t, decode(t, s.Value))
	}
	object, ok := item.(map[string]any)
	if !ok {
		return false
	}
	for _, key := range s.Keys {
		value, ok := object[key.Name]
		if ok != (key.Value != nil) || ok && encode(t, value) != encode(t, decode(t, key.Value)) {
			return false
		}
	}
	return true
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&value))
	return value
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// sorted orders lists, and drops what was removed from them.
func sorted(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			value[key] = sorted(value[key])
		}
		return value
	case []any:
		list := slices.DeleteFunc(value, func(item any) bool { return item == any(removed{}) })
		for i := range list {
			list[i] = sorted(list[i])
		}
		slices.SortFunc(list, func(a, b any) int {
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			return bytes.Compare(x, y)
		})
		return list
	default:
		return value
	}
}
