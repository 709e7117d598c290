// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

func TestEveryShortTextIsJudgedAsByEncodingJSON(t *testing.T) {
	const alphabet = "{}[]\":,01-.eE+\\u\ntrx \xff"
	var check func(text []byte, more int)
	check = func(text []byte, more int) {
		sameVerdict(t, text)
		// The scanner looks at eight bytes at a time if there are as many.
		sameVerdict(t, append([]byte("["+string(text)), "        ]"...))
		for i := 0; i < len(alphabet) && more > 0; i++ {
			check(append(text, alphabet[i]), more-1)
		}
	}
	check(make([]byte, 0, 8), 4)
}

func TestMutatedEventsAreJudgedAsByEncodingJSON(t *testing.T) {
	event := auditEvent(t)
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "{}[]\":,0-.e\\u\x00\x1f \x80\xff"
	for range 4_000 {
		text := append([]byte(nil), event...)
		for range 1 + random.IntN(2) {
			switch at := random.IntN(len(text)); random.IntN(3) {
			case 0:
				text[at] = alphabet[random.IntN(len(alphabet))]
			case 1:
				text = append(text[:at], text[at+1:]...)
			default:
				text = text[:at+1]
			}
		}
		sameVerdict(t, text)
	}
}

func sameVerdict(t *testing.T, text []byte) {
	t.Helper()
	s := New(text)
	err := s.Skip()
	if err == nil {
		err = s.End()
	}
	if (err == nil) != json.Valid(text) {
		t.Fatalf("%q: %v, but encoding/json says valid=%t", text, err, err != nil)
	}
}
