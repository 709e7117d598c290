// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package glob matches text against lists of patterns in which * stands for any text, as the filters of receivers have them.
package glob // import "github.com/kelemetry/kelemetry/internal/glob"

import (
	"regexp"
	"strings"
)

// Patterns is a list of which one must match; nil is no condition. It does not change.
type Patterns []pattern

// pattern is an exact text, or an expression when the text has a *.
type pattern struct {
	exact string
	glob  *regexp.Regexp
}

// Compile reads patterns. Every text is one; no texts make nil.
func Compile(texts []string) Patterns {
	if len(texts) == 0 {
		return nil
	}
	compiled := make(Patterns, 0, len(texts))
	for _, text := range texts {
		if !strings.Contains(text, "*") {
			compiled = append(compiled, pattern{exact: text})
			continue
		}
		expression := strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`)
		compiled = append(compiled, pattern{glob: regexp.MustCompile(`(?s)\A` + expression + `\z`)})
	}
	return compiled
}

// Allows reports whether there is no condition, or one of the patterns matches.
func (p Patterns) Allows(text string) bool { return p == nil || p.Match(text) }

// Match reports whether one of the patterns matches the whole text.
func (p Patterns) Match(text string) bool {
	for i := range p {
		if p[i].glob != nil && p[i].glob.MatchString(text) || p[i].glob == nil && p[i].exact == text {
			return true
		}
	}
	return false
}
