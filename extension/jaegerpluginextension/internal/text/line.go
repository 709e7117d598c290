// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import (
	"strings"
	"unicode"
	"unicode/utf8"

	eastasian "golang.org/x/text/width"
)

// color is the number of an ANSI attribute.
type color string

// The colors.
const (
	plain  color = ""
	bold   color = "1"
	dim    color = "2"
	red    color = "31"
	green  color = "32"
	yellow color = "33"
	cyan   color = "36"
)

// piece is a part of a line in one color.
type piece struct {
	color color
	text  string
}

// line draws pieces, as far as they fit. Their text need not be clean.
func (p *printer) line(stem string, pieces ...piece) {
	if room := p.options.Width - leastText; width(stem) > room {
		stem = cut(stem, room) // deeper than the terminal is wide
	}
	var b strings.Builder
	p.paint(&b, dim, stem)
	room := p.options.Width - width(stem)
	for i, one := range pieces {
		text := clean(one.text)
		if i == len(pieces)-1 {
			text = strings.TrimRight(text, " ")
		}
		if room <= 0 {
			break
		}
		text = cut(text, room)
		room -= width(text)
		p.paint(&b, one.color, text)
	}
	_, _ = p.w.WriteString(strings.TrimRight(b.String(), " ") + "\n") // Flush reports the error
}

// leastText is how many columns of a line are kept for what it says.
const leastText = 30

func (p *printer) paint(b *strings.Builder, c color, text string) {
	if !p.options.Color || c == plain || text == "" {
		b.WriteString(text)
		return
	}
	b.WriteString("\x1b[" + string(c) + "m" + text + "\x1b[0m")
}

// paragraph draws a text on at most so many lines; that something is missing shows.
func (p *printer) paragraph(stem string, one piece, lines int) {
	room := max(p.options.Width-width(stem), leastText)
	rest := clean(one.text)
	for i := range lines {
		if width(rest) <= room || i == lines-1 {
			p.line(stem, piece{one.color, cut(rest, room)})
			return
		}
		head := prefix(rest, room)
		if space := strings.LastIndexByte(head, ' '); space > len(head)/2 {
			head = head[:space]
		}
		p.line(stem, piece{one.color, head})
		rest = strings.TrimLeft(rest[len(head):], " ")
	}
}

// clean makes a text one line that does nothing to a terminal: line feeds show as ⏎, other white space as a space, and what
// controls or turns the direction of writing as U+FFFD.
func clean(text string) string {
	if isClean(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return '⏎'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, text)
}

func isClean(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// width is how many columns a clean text takes.
func width(text string) (columns int) {
	if isClean(text) {
		return len(text)
	}
	for _, r := range text {
		columns += runeWidth(r)
	}
	return columns
}

func runeWidth(r rune) int {
	if r < unicode.MaxASCII {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch eastasian.LookupRune(r).Kind() {
	case eastasian.EastAsianWide, eastasian.EastAsianFullwidth:
		return 2
	}
	return 1
}

// prefix is the longest beginning that takes no more than so many columns.
func prefix(text string, columns int) string {
	for i, r := range text {
		if columns -= runeWidth(r); columns < 0 {
			return text[:i]
		}
	}
	return text
}

// cut makes a text fit; that something is missing shows.
func cut(text string, columns int) string {
	if width(text) <= columns {
		return text
	}
	return prefix(text, max(columns-1, 0)) + "…"
}

// cutMiddle keeps both ends, which tell most of a path.
func cutMiddle(text string, columns int) string {
	if width(text) <= columns {
		return text
	}
	head := prefix(text, columns/2)
	left, from := columns-width(head)-1, len(text)
	for from > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:from])
		if left -= runeWidth(r); left < 0 {
			break
		}
		from -= size
	}
	return head + "…" + text[from:]
}

func pad(text string, columns int) string {
	if missing := columns - width(text); missing > 0 {
		return text + strings.Repeat(" ", missing)
	}
	return text
}
