// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const (
	arrow = " -> "
	none  = "null"
)

// diff draws one change: what was added, removed or changed, on one line if it fits and else with the values on a second.
func (p *printer) diff(stem, path, change string) {
	path, change = clean(path), clean(change)
	before, after, ok := splitChange(change)
	mark, color, value := "~", yellow, change
	switch {
	case ok && before == none:
		mark, color, value = "+", green, after
	case ok && after == none:
		mark, color, value = "-", red, before
	case ok:
		value = before + " → " + after
	}
	room := p.options.Width - width(stem) - 2
	if width(path)+2+width(value) <= room {
		p.line(stem, piece{color, mark + " "}, piece{plain, path + "  "}, piece{bold, value})
		return
	}
	p.line(stem, piece{color, mark + " "}, piece{plain, cutMiddle(path, room)})
	if room -= 2; width(value) > room && ok && before != none && after != none {
		value = squeeze(before, after, room)
	}
	p.line(stem, piece{plain, "    "}, piece{bold, cut(value, room)})
}

// squeeze makes a change fit by leaving out what both values begin with, and then what they end with.
func squeeze(before, after string, room int) string {
	const context = 8 // columns of what they have in common
	half := (room - width(" → ")) / 2
	if same := commonPrefix(before, after); width(before[:same]) > context && max(width(before), width(after)) > half {
		keep := len(prefix(before[:same], width(before[:same])-context))
		before, after = "…"+before[keep:], "…"+after[keep:]
	}
	switch a, b := width(before), width(after); {
	case a+b <= 2*half:
	case a <= half:
		after = cut(after, 2*half-a)
	case b <= half:
		before = cut(before, 2*half-b)
	default:
		before, after = cut(before, half), cut(after, half)
	}
	return before + " → " + after
}

// commonPrefix is how many bytes of whole characters two texts have in common.
func commonPrefix(a, b string) (n int) {
	for i, r := range a {
		if !strings.HasPrefix(b[i:], string(r)) {
			break
		}
		n = i + utf8.RuneLen(r)
	}
	return n
}

// splitChange splits "old -> new". Where a value has an arrow in it, the border is where both sides are JSON.
func splitChange(change string) (before, after string, ok bool) {
	before, after, ok = strings.Cut(change, arrow)
	if !ok || !strings.Contains(after, arrow) {
		return before, after, ok
	}
	for i := strings.Index(change, arrow); i >= 0; {
		before, after = change[:i], change[i+len(arrow):]
		if json.Valid([]byte(before)) && json.Valid([]byte(after)) {
			return before, after, true
		}
		next := strings.Index(after, arrow)
		if next < 0 {
			break
		}
		i += len(arrow) + next
	}
	return "", "", false
}
