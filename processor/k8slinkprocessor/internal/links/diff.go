// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"strings"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// readPath reads a path as a diff writes it, up to where it goes into a list: spec.nodeName,
// metadata.annotations["example.com/x"]. It reports false when there is more of it.
func readPath(text string) (path []string, exact bool) {
	for text != "" {
		switch {
		case strings.HasPrefix(text, `["`):
			s := jsonscan.New([]byte(text[1:]))
			member, err := s.Str()
			end := 1 + s.Offset()
			if err != nil || end >= len(text) || text[end] != ']' {
				return path, false
			}
			path, text = append(path, member), text[end+1:]
		case text[0] == '[':
			return path, false
		default:
			text = strings.TrimPrefix(text, ".")
			end := strings.IndexAny(text, ".[ ")
			switch {
			case end < 0:
				return append(path, strings.Clone(text)), true
			case end == 0 || text[end] == ' ': // "path (1/2)", of a diff that was split
				return append(path, strings.Clone(text[:end])), false
			}
			path, text = append(path, strings.Clone(text[:end])), text[end:]
		}
	}
	return path, len(path) > 0
}

const arrow = " -> "

// newValue is the second of the two values of a diff, if it is there in full.
func newValue(text string) (string, bool) {
	s := jsonscan.New([]byte(text))
	if s.Skip() != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(text[s.Offset():], arrow)
	if !ok {
		return "", false
	}
	value := jsonscan.New([]byte(rest))
	if value.Skip() != nil || value.End() != nil {
		return "", false
	}
	return rest, true
}
