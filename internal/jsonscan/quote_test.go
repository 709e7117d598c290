// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzAppendQuote checks that the standard library reads back what was quoted.
func FuzzAppendQuote(f *testing.F) {
	for _, seed := range []string{"", "plain", "quote \" backslash \\ newline \n nul \x00", "ü", "\xff\xfe", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got string
		if err := json.Unmarshal(AppendQuote(nil, text), &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if want := strings.ToValidUTF8(text, "\uFFFD"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
