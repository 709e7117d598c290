// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package glob

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		patterns []string
		text     string
		want     bool
	}{
		{[]string{"pods"}, "pods", true},
		{[]string{"pods"}, "pods2", false},
		{[]string{"a", "pods"}, "pods", true},
		{[]string{"*"}, "", true},
		{[]string{"*"}, "a\nb", true},
		{[]string{"kube-*"}, "kube-system", true},
		{[]string{"kube-*"}, "my-kube-system", false},
		{[]string{"*.example.com"}, "things.example.com", true},
		{[]string{"*.example.com"}, "things.example-com", false},
		{[]string{"4*"}, "409", true},
		{[]string{"a*c*e"}, "abcde", true},
		{[]string{"a.c"}, "abc", false},
		{[]string{""}, "", true},
		{[]string{""}, "a", false},
	} {
		assert.Equal(t, tt.want, Compile(tt.patterns).Match(tt.text), "%q on %q", tt.patterns, tt.text)
		assert.Equal(t, tt.want, Compile(tt.patterns).Allows(tt.text), "%q on %q", tt.patterns, tt.text)
	}
}

func TestNoPatternsAllowEverythingAndMatchNothing(t *testing.T) {
	assert.True(t, Compile(nil).Allows("a"))
	assert.False(t, Compile(nil).Match("a"))
}
