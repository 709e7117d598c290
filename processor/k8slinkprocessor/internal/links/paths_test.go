// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzReadValue: values are read as encoding/json reads them, without members that are null.
func FuzzReadValue(f *testing.F) {
	for _, text := range []string{
		`{"a": [1, -0, 1e3, null, {"b": null, "c": "\u00e9\ud800\n"}], "d": true, "e": {}, "f": []}`,
		`{"a": 1, "a": {"b": 2}, "a": null, "c": {"x": 1}, "c": {"y": 2}}`, "null", "1e999", `[{"a": 1e999}]`, "\"\xff\"", `{"a": 1`, `[nul]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want any
		wantErr := json.Unmarshal(text, &want)
		got, err := parse(text)
		assert.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if err == nil {
			assert.Equal(t, withoutNulls(want), got)
		}
	})
}

// withoutNulls takes the members out that are null.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for member, value := range v {
			if value == nil {
				delete(v, member)
			} else {
				withoutNulls(value)
			}
		}
	case []any:
		for _, item := range v {
			withoutNulls(item)
		}
	}
	return v
}

// BenchmarkParse reads what the shipped rules look at of a Pod.
func BenchmarkParse(b *testing.B) {
	text := []byte(`{"metadata":{"annotations":{"example.com/a":"b"},"labels":{"app":"web","pod-template-hash":"78bb56d9c4"}},"spec":{"nodeName":"node-7",` +
		`"volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"data-web-0"}},{"name":"config","configMap":{"name":"web","defaultMode":420}}]}}`)
	b.Run("by=parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := parse(text)
			require.NoError(b, err)
		}
	})
	b.Run("by=encoding_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			require.NoError(b, json.Unmarshal(text, &v))
		}
	})
}
