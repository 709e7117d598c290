// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNextTellsTheKindAndConsumesOnlySpace(t *testing.T) {
	for text, want := range map[string]Kind{
		"null": Null, "true": Bool, "false": Bool, "0": Number, "-1": Number, `"a"`: String, "[]": Array, "{}": Object,
		"": Invalid, " \t\r\n": Invalid, "}": Invalid, "+1": Invalid, "\v1": Invalid,
	} {
		s := New([]byte(" \n" + text))
		assert.Equal(t, want, s.Next(), "%q", text)
		assert.Equal(t, want, s.Next(), "%q again", text)
		if want != Invalid {
			assert.Equal(t, 2, s.Offset(), "%q", text)
		}
	}
}

func TestScalars(t *testing.T) {
	str := func(s *Scanner) (any, error) { return s.Str() }
	bytes := func(s *Scanner) (any, error) { return s.Bytes() }
	integer := func(s *Scanner) (any, error) { return s.Int() }
	boolean := func(s *Scanner) (any, error) { return s.Bool() }
	raw := func(s *Scanner) (any, error) {
		b, err := s.Raw()
		return string(b), err
	}
	for _, c := range []struct {
		text string
		read func(*Scanner) (any, error)
		want any
	}{
		{`"plain"`, str, "plain"},
		{` "" `, str, ""},
		{`"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\uD83D\ude00"`, str, "\"\\/\b\f\n\r\tAé€😀"},
		{`"\ud800"`, str, "\uFFFD"},
		{`"\ud800\u0041"`, str, "\uFFFDA"},
		{`"\ud800\ud83d\ude00"`, str, "\uFFFD😀"},
		{`"\udc00\ud800"`, str, "\uFFFD\uFFFD"},
		{"\"a\xff\xc3b\"", str, "a\uFFFD\uFFFDb"},
		{`"` + strings.Repeat("x", 1000) + `é"`, str, strings.Repeat("x", 1000) + "é"},
		{"null", str, ""},
		{`""`, bytes, []byte{}},
		{`"\u0064ata"`, bytes, []byte("data")},
		{"null", bytes, []byte(nil)},
		{"0", integer, int64(0)},
		{"-0", integer, int64(0)},
		{fmt.Sprint(math.MinInt64), integer, int64(math.MinInt64)},
		{fmt.Sprint(math.MaxInt64), integer, int64(math.MaxInt64)},
		{"null", integer, int64(0)},
		{"true", boolean, true},
		{"false", boolean, false},
		{"null", boolean, false},
		{" [ 1 , {} ] ", raw, "[ 1 , {} ]"},
		{" null", raw, "null"},
	} {
		t.Run(c.text[:min(len(c.text), 20)], func(t *testing.T) {
			s := New([]byte(c.text))
			got, err := c.read(&s)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			assert.NoError(t, s.End())
		})
	}
}

func TestResultsAliasTheTextWhereTheyCan(t *testing.T) {
	text := []byte(`{"key":"value"}`)
	s := New(text)
	require.NoError(t, s.Object(func(key []byte) error {
		assert.Same(t, &text[2], &key[0])
		assert.Equal(t, `"key"`, string(s.RawKey()))
		value, err := s.Bytes()
		assert.Same(t, &text[8], &value[0])
		assert.Len(t, append(value, '!'), 6)
		return err
	}))
	assert.Equal(t, `{"key":"value"}`, string(text), "appending to a result must not write into the text")
}

func TestOfWrongTypeIsSkippedAndReported(t *testing.T) {
	reads := map[string]func(*Scanner) error{
		"string": func(s *Scanner) error { _, err := s.Str(); return err },
		"int64":  func(s *Scanner) error { _, err := s.Int(); return err },
		"bool":   func(s *Scanner) error { _, err := s.Bool(); return err },
		"object": func(s *Scanner) error { return s.Object(func([]byte) error { return errors.New("called") }) },
		"array":  func(s *Scanner) error { return s.Array(func() error { return errors.New("called") }) },
	}
	values := map[string]Kind{
		`"a"`: String, "12": Number, "true": Bool, `{"a":[1]}`: Object, "[1,[2]]": Array,
		"1.5": Number, "1e3": Number, "9223372036854775808": Number,
	}
	for want, read := range reads {
		for value, kind := range values {
			if want == kind.String() || want == "int64" && value == "12" {
				continue
			}
			s := New([]byte(" " + value + " true"))
			var typeError *TypeError
			require.ErrorAs(t, read(&s), &typeError, "%s of %s", want, value)
			assert.Equal(t, TypeError{Offset: 1, Want: want, Got: kind}, *typeError)
			next, err := s.Bool()
			require.NoError(t, err, "%s of %s", want, value)
			assert.True(t, next)
			assert.NoError(t, s.End())
		}
	}
}

func TestMalformedTextIsReportedForGood(t *testing.T) {
	for text, want := range map[string]SyntaxError{
		"":             {0, "unexpected end"},
		"  ":           {2, "unexpected end"},
		"tru":          {3, "unexpected end"},
		"trux":         {3, "want true, false or null"},
		"-":            {1, "unexpected end"},
		"-a":           {1, "want a digit of a number"},
		"1.":           {2, "unexpected end"},
		"1.x":          {2, "want a digit of a number"},
		"1e+":          {3, "unexpected end"},
		`"abc`:         {4, "unexpected end"},
		"\"a\nb\"":     {2, "control character in a string"},
		`"\x"`:         {2, "invalid escape in a string"},
		`"\u12g4"`:     {5, "invalid escape in a string"},
		`"\`:           {2, "unexpected end"},
		`{"a" 1}`:      {5, "want a colon after a key"},
		`{a:1}`:        {1, "want a key in quotes"},
		`{"a":1,}`:     {7, "want a key in quotes"},
		`{"a":1 "b"}`:  {7, "want a comma or the end of the object"},
		`[1 2]`:        {3, "want a comma or the end of the array"},
		`[1,]`:         {3, "want a value"},
		`[1}`:          {2, "want a comma or the end of the array"},
		`{"a":}`:       {5, "want a value"},
		"?":            {0, "want a value"},
		"\ufeff{}":     {0, "want a value"},
		"[[[[[[1,2]]]": {12, "unexpected end"},
	} {
		s := New([]byte(text))
		err := s.Skip()
		assert.Equal(t, &want, err, "%q", text)
		assert.Equal(t, Invalid, s.Next(), "%q", text)
		_, again := s.Str()
		assert.Equal(t, err, again, "%q", text)
		assert.Equal(t, err, s.End(), "%q", text)
		assert.Equal(t, err, s.Object(nil), "%q", text)

		s = New([]byte(text))
		assert.Equal(t, err, walk(&s), "%q read by Object and Array", text)
	}
}

func TestEndReportsWhatIsLeft(t *testing.T) {
	s := New([]byte("1 2"))
	require.NoError(t, s.Skip())
	assert.EqualError(t, s.End(), "malformed JSON at byte 2: want the end after the value")
}

func TestObjectCallsForEachMemberInOrder(t *testing.T) {
	s := New([]byte(` { "a" : 1 , "\u0061":[2,{"a":0}] ,"":{},"a":null } `))
	var members []string
	require.NoError(t, s.Object(func(key []byte) error {
		raw := string(s.RawKey())
		value, err := s.Raw()
		members = append(members, fmt.Sprintf("%s %s %s", key, raw, value))
		return err
	}))
	assert.Equal(t, []string{`a "a" 1`, `a "\u0061" [2,{"a":0}]`, ` "" {}`, `a "a" null`}, members)
	assert.NoError(t, s.End())
}

func TestWhatACallbackLeavesIsSkipped(t *testing.T) {
	s := New([]byte(` [ { "a" : [1,2] , "b":3},null,[] , {}, 5 ] `))
	var seen []string
	require.NoError(t, s.Array(func() error {
		seen = append(seen, s.Next().String())
		if s.Next() != Object {
			return nil
		}
		return s.Object(func(key []byte) error {
			seen = append(seen, string(key))
			return nil
		})
	}))
	require.NoError(t, s.End())
	assert.Equal(t, []string{"object", "a", "b", "null", "array", "object", "number"}, seen)
}

func TestNullIsAnEmptyContainer(t *testing.T) {
	s := New([]byte("null null"))
	require.NoError(t, s.Object(func([]byte) error { return errors.New("called") }))
	require.NoError(t, s.Array(func() error { return errors.New("called") }))
	assert.NoError(t, s.End())
}

func TestOneBadItemDoesNotCostTheOthers(t *testing.T) {
	s := New([]byte(`[{"n":1},{"n":"two","m":{"x":[]}},3,{"m":0,"n":4},{"l":{"n":[true]}}]`))
	var numbers []int64
	var bad []string
	require.NoError(t, s.Array(func() error {
		var n int64
		err := s.Object(func(key []byte) (err error) {
			switch string(key) {
			case "n":
				n, err = s.Int()
			case "l":
				err = s.Object(func([]byte) error { return s.Array(func() error { _, err := s.Int(); return err }) })
			}
			return err
		})
		var typeError *TypeError
		if errors.As(err, &typeError) {
			bad = append(bad, err.Error())
			return nil
		}
		numbers = append(numbers, n)
		return err
	}))
	require.NoError(t, s.End())
	assert.Equal(t, []int64{1, 4}, numbers)
	assert.Equal(t, []string{
		"want int64, got string at byte 14", "want object, got number at byte 34", "want int64, got bool at byte 61",
	}, bad)
}

func TestASyntaxErrorBehindATypeErrorWins(t *testing.T) {
	var syntaxError *SyntaxError
	s := New([]byte(`{"n":"x","m":}`))
	require.ErrorAs(t, s.Object(func([]byte) error { _, err := s.Int(); return err }), &syntaxError)
	s = New([]byte(`["x`))
	require.ErrorAs(t, s.Array(func() error { _, err := s.Int(); return err }), &syntaxError)
	s = New([]byte(`{"n":[1,}`))
	_, err := s.Int()
	require.ErrorAs(t, err, &syntaxError)
}

func TestACallbackCannotHideASyntaxError(t *testing.T) {
	s := New([]byte(`{"n":tru}`))
	require.Error(t, s.Object(func([]byte) error { _ = s.Skip(); return nil }))
	s = New([]byte(`[1,tru]`))
	require.Error(t, s.Array(func() error { _ = s.Skip(); return nil }))
}

func TestAnyOtherErrorLeavesAtOnce(t *testing.T) {
	enough := errors.New("enough")
	s := New([]byte(`{"a":[1,2,?`))
	err := s.Object(func([]byte) error {
		return s.Array(func() error {
			if n, err := s.Int(); n == 2 || err != nil {
				return enough
			}
			return nil
		})
	})
	require.ErrorIs(t, err, enough)
	assert.Equal(t, 9, s.Offset())
}

func TestDepthIsBounded(t *testing.T) {
	for _, open := range []string{"[", `{"a":`, `[{"a":`} {
		levels := strings.Count(open, "[") + strings.Count(open, "{")
		deep := func(n int) []byte {
			return []byte(strings.Repeat(open, n/levels) + "0" + strings.Repeat(closing(open), n/levels))
		}
		for name, read := range map[string]func(*Scanner) error{"skip": (*Scanner).Skip, "walk": walk} {
			s := New(deep(MaxDepth))
			require.NoError(t, read(&s), name)
			require.NoError(t, s.End(), name)
			s = New(deep(MaxDepth + levels))
			assert.EqualError(t, read(&s), fmt.Sprintf("malformed JSON at byte %d: nested deeper than 10000 levels",
				MaxDepth/levels*len(open)), name)
		}
	}
}

func closing(open string) string {
	var b strings.Builder
	for i := len(open) - 1; i >= 0; i-- {
		switch open[i] {
		case '[':
			b.WriteByte(']')
		case '{':
			b.WriteByte('}')
		}
	}
	return b.String()
}

// walk reads any value by Object and Array only.
func walk(s *Scanner) error {
	switch s.Next() {
	case Object:
		return s.Object(func([]byte) error { return walk(s) })
	case Array:
		return s.Array(func() error { return walk(s) })
	default:
		return s.Skip()
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	event := auditEvent(t)
	deep := []byte(strings.Repeat(`[{"a":`, 1000) + "0" + strings.Repeat("}]", 1000))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		s := New(deep)
		if s.Skip() != nil {
			panic("malformed")
		}
		var e eventFields
		if s = New(event); e.scan(&s) != nil {
			panic("malformed")
		}
	}))
}
