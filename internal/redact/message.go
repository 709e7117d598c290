// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"regexp"
	"strings"
)

// withheld is all that is left of a message about an object with contents that it may quote.
const withheld = "<redacted: a message about this object may quote its contents>"

// Message returns an error message of the API server without what it quotes of objects, and whether anything was cut. Of
// a message about an object that hides things only a fixed text survives: it may quote the value that it refuses.
func (r *Redactor) Message(t Target, msg string) (string, bool) {
	switch {
	case msg == "":
		return "", false
	case r.quotesSecrets(t):
		return withheld, true
	case r.rules.messages:
		return cutDumps(msg)
	default:
		return msg, false
	}
}

// cutDumps replaces dumps of objects in a text for people: values of Go types, JSON, diffs, long or structured quotations.
// What follows a dump is kept if it is certain where the dump ends. Otherwise all the rest is cut.
func cutDumps(msg string) (string, bool) {
	end := unstructured(msg)
	c := cutter{msg: msg[:end]}
	for c.pos < end {
		c.next()
	}
	if end < len(msg) && (!c.cut || c.kept < end) {
		c.replace(end, end, Redacted)
	}
	if !c.cut {
		return msg, false
	}
	return c.out.String() + msg[c.kept:end], true
}

// cutter goes through a message.
type cutter struct {
	msg string
	pos int
	// out has what stands for msg[:kept].
	out  strings.Builder
	kept int
	cut  bool
}

// next goes on by one piece that may be a dump.
func (c *cutter) next() {
	skipped := strings.IndexAny(c.msg[c.pos:], "\"`{[")
	if skipped < 0 {
		c.pos = len(c.msg)
		return
	}
	c.pos += skipped
	switch rest := c.msg[c.pos:]; {
	case rest[0] == '"', rest[0] == '`':
		c.quotation()
	case rest[0] == '{':
		c.braces()
	case rest[0] == '[' && strings.HasSuffix(c.msg[:c.pos], "value: "):
		c.dump("[" + Redacted + "]")
	case rest[0] == '[' && c.behindMap() && !goMap.MatchString(rest):
		c.replace(c.pos, len(c.msg), "["+Redacted+"]")
	default:
		c.pos++
	}
}

// goMap is the rest of a map that is written as in Go source. One that is printed in short has no certain end.
var goMap = regexp.MustCompile(`^\[[\w.*]+\][\w.*\[\]]*(?: ?\{|\()`)

func (c *cutter) behindMap() bool {
	before, ok := strings.CutSuffix(c.msg[:c.pos], "map")
	return ok && (before == "" || !isWord(before[len(before)-1]) && before[len(before)-1] != '.')
}

// replace puts a replacement for msg[from:to].
func (c *cutter) replace(from, to int, by string) {
	c.out.WriteString(c.msg[c.kept:from])
	c.out.WriteString(by)
	c.pos, c.kept, c.cut = to, to, true
}

// maxQuotation is the longest quotation that is taken for a name or a short value.
const maxQuotation = 128

func (c *cutter) quotation() {
	end := quotationEnd(c.msg, c.pos)
	if end < 0 {
		c.replace(c.pos, len(c.msg), Redacted)
		return
	}
	text := c.msg[c.pos+1 : end-1]
	if len(text) > maxQuotation || strings.Contains(text, "{") || strings.Contains(text, `\n`) || strings.Contains(text, `\"`) ||
		isOfHiddenField(c.msg[:c.pos]) {
		c.replace(c.pos+1, end-1, Redacted)
	}
	c.pos = end
}

// isOfHiddenField reports whether a quotation is the refused value of a field whose values are redacted in objects. The text
// before it then ends as in "spec.containers[0].args[1]: Invalid value: ".
func isOfHiddenField(before string) bool {
	before, ok := strings.CutSuffix(before, "value: ")
	if !ok {
		return false
	}
	before = before[:max(0, strings.LastIndex(before, ": "))]
	path := before[strings.LastIndexByte(before, ' ')+1:]
	for key := range strings.FieldsFuncSeq(path, func(c rune) bool { return strings.ContainsRune(".[]", c) }) {
		switch key {
		case "env", "args", "command", "data", "stringData", "binaryData", "httpHeaders":
			return true
		}
	}
	return false
}

// harmless is what regular expressions have in braces.
var harmless = regexp.MustCompile(`^\{\d*,?\d*\}`)

func (c *cutter) braces() {
	if quantifier := harmless.FindString(c.msg[c.pos:]); quantifier != "" {
		c.pos += len(quantifier)
		return
	}
	c.dump("{" + Redacted + "}")
}

// dump replaces a dump that begins with a bracket.
func (c *cutter) dump(by string) {
	end := dumpEnd(c.msg, c.pos)
	if end < 0 || end < len(c.msg) && !strings.ContainsRune(":,;.)]} \n", rune(c.msg[end])) {
		end = len(c.msg)
	}
	c.replace(c.pos, end, by)
}
