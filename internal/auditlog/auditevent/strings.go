// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditevent // import "github.com/kelemetry/kelemetry/internal/auditlog/auditevent"

import "github.com/kelemetry/kelemetry/internal/jsonscan"

// Strings gives equal texts as one string. It is for texts of which there are few in a cluster, such as users, verbs and
// resources: most are made once, and what keeps spans keeps one copy of each. It forgets all when it is full. The nil table copies.
//
// It is not safe for concurrent use.
type Strings struct {
	known   map[string]string
	joined  map[[2]string]string
	derived [derivations]map[string]string
}

// derivation is what a text is taken for.
type derivation int

const (
	unquoted derivation = iota
	formattedOwners
	derivations
)

// Bounds on each of the maps: half a megabyte of text at the most.
const (
	maxStrings      = 2048
	maxStringLength = 256
)

// Of returns the text as a string.
func (t *Strings) Of(text []byte) string {
	if t == nil || len(text) > maxStringLength {
		return string(text)
	}
	if s, ok := t.known[string(text)]; ok {
		return s
	}
	if t.known == nil || len(t.known) >= maxStrings {
		t.known = make(map[string]string)
	}
	s := string(text)
	t.known[s] = s
	return s
}

// Unquoted returns what a JSON string says, which is given with its quotes; null says nothing.
func (t *Strings) Unquoted(quoted []byte) string {
	text, _ := t.derive(unquoted, quoted, func() (string, error) { // no error: it is a valid string, or null
		s := jsonscan.New(quoted)
		return s.Str()
	})
	return text
}

// derive calls from once for each text. What it returns must depend on nothing else.
func (t *Strings) derive(what derivation, text []byte, from func() (string, error)) (string, error) {
	if t == nil || len(text) > maxStringLength {
		return from()
	}
	if s, ok := t.derived[what][string(text)]; ok {
		return s, nil
	}
	s, err := from()
	if err != nil {
		return "", err
	}
	if t.derived[what] == nil || len(t.derived[what]) >= maxStrings {
		t.derived[what] = make(map[string]string)
	}
	t.derived[what][string(text)] = s
	return s, nil
}

// Join returns the texts one behind the other.
func (t *Strings) Join(a, b string) string {
	if t == nil || len(a)+len(b) > maxStringLength {
		return a + b
	}
	if s, ok := t.joined[[2]string{a, b}]; ok {
		return s
	}
	if t.joined == nil || len(t.joined) >= maxStrings {
		t.joined = make(map[[2]string]string)
	}
	s := a + b
	t.joined[[2]string{a, b}] = s
	return s
}
