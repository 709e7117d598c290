// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// entry is what one line tells.
type entry struct {
	at                time.Time
	who, what, result string
	bad               bool   // the result is one to look at
	problem           string // why it failed
	attrs             pcommon.Map
	below             []span // of the entry's own span

	// Of the brief form: for how many entries this one stands, how many of them lost against another write, when the last one
	// was, and what all of them tell.
	times, retries int
	until          time.Time
	messages       []string
	changes        []change
}

const clock = "15:04:05.000"

func entryOfLog(event ptrace.SpanEvent) entry {
	return newEntry(event.Name(), event.Timestamp(), event.Attributes())
}

// entryOfSpan reports false of spans that are not an entry's.
func entryOfSpan(s span) (e entry, ok bool) {
	if _, ok = s.Attributes().Get(keySource); !ok {
		return e, false
	}
	e = newEntry(s.Name(), s.StartTimestamp(), s.Attributes())
	if s.Status().Code() == ptrace.StatusCodeError {
		e.problem = s.Status().Message()
	}
	if long := time.Duration(s.EndTimestamp() - s.StartTimestamp()); long >= time.Second {
		e.what += " (" + long.Round(time.Millisecond).String() + ")"
	}
	return e, true
}

func newEntry(title string, at pcommon.Timestamp, attrs pcommon.Map) entry {
	e := entry{at: at.AsTime(), attrs: attrs, problem: str(attrs, keyError)}
	switch str(attrs, keySource) {
	case attr.SpanTypeAudit:
		e.readRequest(title)
	case attr.SpanTypeEvent:
		e.who, e.what = str(attrs, attr.EventReportingController), title
		if kind := str(attrs, attr.EventType); kind != "Normal" {
			e.result, e.bad = kind, true
		}
	default:
		e.who, e.what = strings.Join(strs(attrs, attr.WatchManagers), ", "), beforeBy(title)
	}
	if e.who == "" {
		e.who = "(" + str(attrs, keySource) + ")"
	}
	if long := str(attrs, keyDuration); long != "" {
		e.what += " (" + long + ")"
	}
	if steps := strings.Join(strs(attrs, attr.WatchDeletion), ", "); steps != "" && e.what != steps {
		e.what += " → " + steps
	}
	return e
}

// beforeBy takes the managers off, which stand in a column of their own.
func beforeBy(title string) string {
	what, _, _ := strings.Cut(title, " by ")
	return what
}

func (e *entry) readRequest(title string) {
	user := str(e.attrs, attr.UserName)
	e.who = ShortUser(user)
	if by := str(e.attrs, attr.AuditImpersonatorName); by != "" {
		e.who = ShortUser(by) + " as " + e.who
	}
	e.result = str(e.attrs, attr.HTTPResponseStatus)
	e.what = title
	if prefix, what, ok := strings.Cut(title, ShortUser(user)+" "); ok && user != "" {
		e.what = prefix + what // of another object than the root, the name stands before
	}
	if reason := str(e.attrs, attr.ErrorType); reason != "" {
		e.bad = true
		e.what = strings.Replace(e.what, " ("+reason+")", "", 1)
		if reason != e.result {
			e.result = strings.TrimSpace(e.result + " " + reason)
		}
	}
}

// The columns of an entry's line.
const (
	timeColumn = len(clock) + 2
	leastWho   = 10
	mostWho    = 24
	leastWhat  = 12
)

// whoColumn is how wide the second column has to be for these entries.
func (p *printer) whoColumn(entries []entry) int {
	column := leastWho
	for _, e := range entries {
		column = max(column, width(clean(e.who)))
	}
	return min(column, p.mostWho())
}

func (p *printer) mostWho() int {
	if p.options.Brief { // the third column is narrow enough
		return mostWho + 1
	}
	return mostWho
}

// entry draws a line, and below it the message and the changes.
func (p *printer) entry(e entry, stem string, column int) {
	if day := e.at.Format(time.DateOnly); day != p.day {
		p.day = day
		p.line(stem, piece{dim, "── " + day + " ──"})
	}
	if p.options.Brief {
		e.summary()
	}
	color := dim
	if e.bad {
		color = red
	}
	result := cut(clean(e.result), p.options.Width/3)
	column = max(min(column, p.mostWho(), p.options.Width-width(stem)-timeColumn-leastWhat-width(result)-4), leastWho)
	room := max(p.options.Width-width(stem)-timeColumn-column-2-width(result)-2, leastWhat)
	p.line(
		stem, piece{dim, e.at.Format(clock) + "  "}, piece{cyan, pad(cut(clean(e.who), column), column) + "  "},
		piece{plain, pad(cut(clean(e.what), room), room) + "  "}, piece{color, result},
	)
	if p.options.Brief {
		p.briefDetails(e, stem+strings.Repeat(" ", timeColumn))
		return
	}
	p.details(e, stem+strings.Repeat(" ", timeColumn))
}

const messageLines = 2

func (p *printer) details(e entry, stem string) {
	if message := e.problem; message != "" {
		p.paragraph(stem, piece{red, message}, messageLines)
	}
	if message := str(e.attrs, keyMessage); message != "" {
		p.paragraph(stem, piece{plain, message}, messageLines)
	}
	drawn, left := 0, 0
	for key, v := range e.attrs.All() {
		path, ok := strings.CutPrefix(key, keyDiff)
		if !ok || key == keyDiffCut || key == keyJoin {
			continue
		}
		if drawn == p.options.MaxDiffs {
			left++
			continue
		}
		drawn++
		p.diff(stem, path, v.AsString())
	}
	if left > 0 {
		p.line(stem, piece{dim, "… and " + plural(left, "more change", "more changes")})
	}
	if more := str(e.attrs, keyDiffCut); more != "" {
		p.line(stem, piece{dim, "… " + more + ", which were not stored"})
	}
}
