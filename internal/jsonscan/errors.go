// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan // import "github.com/kelemetry/kelemetry/internal/jsonscan"

import "fmt"

// SyntaxError reports text that is not JSON. It quotes nothing of the text.
type SyntaxError struct {
	// Offset counts the bytes before the one that cannot be.
	Offset int
	// Msg says what is wrong.
	Msg string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("malformed JSON at byte %d: %s", e.Offset, e.Msg)
}

// TypeError reports a well-formed value of another type than was asked for. The value has been skipped.
type TypeError struct {
	// Offset counts the bytes before the value.
	Offset int
	// Want is what was asked for: the name of a Kind, or "int64".
	Want string
	// Got is the kind of the value.
	Got Kind
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("want %s, got %s at byte %d", e.Want, e.Got, e.Offset)
}

// problem is why text is not JSON. The functions that skip return one instead of an error, so that they stay small.
type problem uint8

const (
	fine problem = iota
	truncated
	noValue
	badLiteral
	badNumber
	badEscape
	controlCharacter
	noKey
	noColon
	noCommaInObject
	noCommaInArray
	tooDeep
	trailing
)

var problems = [...]string{
	fine:             "nothing",
	truncated:        "unexpected end",
	noValue:          "want a value",
	badLiteral:       "want true, false or null",
	badNumber:        "want a digit of a number",
	badEscape:        "invalid escape in a string",
	controlCharacter: "control character in a string",
	noKey:            "want a key in quotes",
	noColon:          "want a colon after a key",
	noCommaInObject:  "want a comma or the end of the object",
	noCommaInArray:   "want a comma or the end of the array",
	tooDeep:          "nested deeper than 10000 levels",
	trailing:         "want the end after the value",
}
