// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
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
		s := jsonscan.New(text)
		got, err := readValue(&s)
		if err == nil {
			err = s.End()
		}
		assert.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if err == nil {
			assert.Equal(t, withoutNulls(want), got)
		}
	})
}
