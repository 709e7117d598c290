// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// The brief form tells what a reader looks for first, and leaves out what repeats: entries in a row of one user who does one
// thing are one, with their changes added up; changes below one field share a line; of a condition there is its status and its
// reason; success is not mentioned; and of siblings that are alike one is told in full.

// brief makes one of entries in a row that repeat each other.
func brief(entries []entry) (short []entry) {
	for _, e := range entries {
		e.changes, e.times, e.until = changesOf(e.attrs), 1, e.at
		if message := str(e.attrs, keyMessage); message != "" {
			e.messages = []string{message}
		}
		if str(e.attrs, keySource) == attr.SpanTypeWatch && len(e.changes) > 0 && !slices.ContainsFunc(e.changes, change.told) {
			continue
		}
		if isRetry(e) {
			e.retries = 1
		} else if !e.bad && strings.HasPrefix(e.result, "2") {
			e.result = ""
		}
		if n := len(short); n > 0 && short[n-1].repeats(e) {
			short[n-1].add(e)
			continue
		}
		short = append(short, e)
	}
	return short
}

// isRetry is true of a write that lost against another one, which clients try again: no failure that needs a look.
func isRetry(e entry) bool {
	return e.bad && str(e.attrs, attr.ErrorType) == "Conflict" && str(e.attrs, keySource) == attr.SpanTypeAudit
}

// repeats is true if another entry can be told with this one.
func (e entry) repeats(next entry) bool {
	failed := func(e entry) bool { return e.bad && e.retries == 0 }
	return e.who == next.who && e.what == next.what && str(e.attrs, keySource) == str(next.attrs, keySource) &&
		!failed(e) && !failed(next) && len(e.below) == 0 && len(next.below) == 0 && e.at.Format(time.DateOnly) == next.at.Format(time.DateOnly)
}

func (e *entry) add(next entry) {
	e.changes = addUp(e.changes, next.changes)
	e.times, e.until, e.retries = e.times+1, next.until, e.retries+next.retries
	for _, message := range next.messages {
		if !slices.Contains(e.messages, message) {
			e.messages = append(e.messages, message)
		}
	}
	if next.retries == 0 {
		e.attrs = next.attrs // what is told of it besides, such as that a diff was cut
	}
}

// summary completes the columns of an entry that stands for several.
func (e *entry) summary() {
	if e.times > 1 {
		e.what += " ×" + strconv.Itoa(e.times)
		if long := e.until.Sub(e.at); long >= time.Second {
			e.what += " in " + long.Round(100*time.Millisecond).String()
		}
	}
	if e.retries > 0 {
		e.bad = e.retries == e.times
		e.result = "409 Conflict"
		if e.times > 1 {
			e.result = strconv.Itoa(e.retries) + " × 409"
		}
	}
}

// briefDetails draws messages and changes below the line of an entry.
func (p *printer) briefDetails(e entry, stem string) {
	if message := str(e.attrs, keyError); message != "" && e.retries == 0 {
		p.paragraph(stem, piece{red, message}, messageLines)
	}
	for i, message := range e.messages {
		if i == mostMessages && len(e.messages) > mostMessages+1 {
			p.line(stem, piece{dim, "… and " + strconv.Itoa(len(e.messages)-i) + " more"})
			break
		}
		p.paragraph(stem, piece{plain, message}, messageLines)
	}
	p.briefChanges(e.changes, stem)
	if more := str(e.attrs, keyDiffCut); more != "" {
		p.line(stem, piece{dim, "… " + more + ", which were not stored"})
	}
}

// mostMessages is how many messages are drawn of one entry.
const mostMessages = 4

// briefChanges draws changes: first those that share a parent, then conditions, then those that need lines of their own.
func (p *printer) briefChanges(all []change, stem string) {
	var parents []string
	groups := make(map[string][]change)
	for _, c := range all {
		if !c.told() {
			continue
		}
		of, _ := parent(c.path)
		if _, ok := groups[of]; !ok {
			parents = append(parents, of)
		}
		groups[of] = append(groups[of], c)
	}
	lines, left := 0, 0
	for _, of := range parents {
		if lines >= p.options.MaxDiffs {
			left += len(groups[of])
			continue
		}
		kind, ok := condition(of)
		switch {
		case ok:
			lines += p.condition(kind, groups[of], stem)
		default:
			lines += p.group(of, groups[of], stem)
		}
	}
	if left > 0 {
		p.line(stem, piece{dim, "… and " + plural(left, "more change", "more changes")})
	}
}

// condition draws status and reason of one condition. That it is as it was, with another message or time, is not told.
func (p *printer) condition(kind string, members []change, stem string) (lines int) {
	var status, reason change
	for _, c := range members {
		switch _, last := parent(c.path); last {
		case "status":
			status = c
		case "reason":
			reason = c
		}
	}
	mark, color := "~", yellow
	var value string
	unquote := func(json string) string { return strings.Trim(json, `"`) }
	switch {
	case status.path == "" && (reason.path == "" || reason.after == none):
		return 0
	case status.path == "":
		value = unquote(reason.after)
	case status.before == none:
		mark, color, value = "+", green, unquote(status.after)
	case status.after == none:
		mark, color, value = "-", red, unquote(status.before)
	default:
		value = unquote(status.before) + " → " + unquote(status.after)
	}
	if status.path != "" && reason.path != "" && reason.after != none {
		value += ", " + unquote(reason.after)
	}
	p.line(stem, piece{color, mark + " "}, piece{plain, "condition " + clean(kind) + "  "}, piece{bold, value})
	return 1
}

// group draws the changes below one parent: those that are short on shared lines, and the others one by one.
func (p *printer) group(of string, members []change, stem string) (lines int) {
	room := p.options.Width - width(stem) - len("~ ")
	var shared, alone []change
	for _, c := range members {
		if text := c.short(); of == "" || width(text) > room*2/3 {
			alone = append(alone, c)
		} else {
			shared = append(shared, c)
		}
	}
	if len(shared) == 1 && width(shared[0].path+"  ")+width(shared[0].values()) <= room {
		alone, shared = append(shared, alone...), nil // it is well told by itself
	}
	if len(shared) > 0 {
		lines += p.flow(stem, of, shared)
	}
	for _, c := range alone {
		p.diff(stem, c.path, c.before+arrow+c.after)
		lines++
	}
	return lines
}

// sign says whether a change adds, removes or changes.
func (c change) sign() string {
	switch none {
	case c.before:
		return "+"
	case c.after:
		return "-"
	}
	return "~"
}

func (c change) values() string {
	switch none {
	case c.before:
		return clean(c.after)
	case c.after:
		return clean(c.before)
	}
	return clean(c.before) + " → " + clean(c.after)
}

// short is a change without its parent.
func (c change) short() string {
	_, last := parent(clean(c.path))
	if slash := strings.LastIndexByte(last, '/'); slash >= 0 {
		last = "…" + last[slash:]
	}
	return last + " " + c.values()
}

// flow draws changes below one parent after each other, on as many lines as they need. Each that is of another sign than all of
// them together bears its own.
func (p *printer) flow(stem, of string, changes []change) (lines int) {
	sign, color := changes[0].sign(), yellow
	if slices.ContainsFunc(changes, func(c change) bool { return c.sign() != sign }) {
		sign = "~"
	}
	switch sign {
	case "+":
		color = green
	case "-":
		color = red
	}
	lead := []piece{{color, sign + " "}, {plain, cutMiddle(clean(of), p.options.Width/3) + "  "}}
	used := width(stem) + 2 + width(lead[1].text)
	line := ""
	for i, c := range changes {
		text := c.short()
		if own := c.sign(); own != sign {
			text = own + text
		}
		if i < len(changes)-1 {
			text += ", "
		}
		if (line != "" || i == 0) && used+width(line)+width(strings.TrimRight(text, " ")) > p.options.Width {
			p.line(stem, append(lead, piece{bold, line})...)
			lines++
			lead, used, line = []piece{{plain, "    "}}, width(stem)+4, ""
		}
		line += text
	}
	p.line(stem, append(lead, piece{bold, line})...)
	return lines + 1
}

// alike says that a sibling has nothing to tell that the one before does not: it is of the same kind, has nothing below it either,
// and nothing failed in it that did not fail in the other.
func (p *printer) alike(s, other span) bool {
	if !isObject(s) || !isObject(other) || str(s.resource, attr.ObjectResource) != str(other.resource, attr.ObjectResource) ||
		len(strs(s.Attributes(), keyWarnings)) > 0 {
		return false
	}
	failures := func(s span) (all []string, below int) {
		entries, objects := p.contents(s)
		for _, e := range entries {
			if e.bad {
				all = append(all, e.who+"\n"+e.what+"\n"+e.result)
			}
			below += len(e.below)
		}
		return all, below + len(objects)
	}
	mine, below := failures(s)
	its, belowOther := failures(other)
	return below == 0 && belowOther == 0 && !slices.ContainsFunc(mine, func(f string) bool { return !slices.Contains(its, f) })
}

// aside draws a sibling that is alike on one line.
func (p *printer) aside(s span, first string) {
	entries, _ := p.contents(s)
	about := "  " + plural(len(entries), "entry", "entries")
	if n := len(entries); n > 0 {
		about += ", " + entries[0].at.Format(time.TimeOnly) + " – " + entries[n-1].at.Format(time.TimeOnly)
	}
	p.line(first, append(heading(s, p.namespace, p.cluster), piece{dim, about})...)
}
