// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The benchmarks read what a span needs of an audit event and skip the rest, as the audit log receiver does.

func BenchmarkSkip(b *testing.B) {
	event := auditEvent(b)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		s := New(event)
		if err := s.Skip(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidEncodingJSON(b *testing.B) {
	event := auditEvent(b)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(event) {
			b.Fatal("invalid")
		}
	}
}

func BenchmarkFields(b *testing.B) {
	event := auditEvent(b)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		var e eventFields
		s := New(event)
		if err := e.scan(&s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFieldsEncodingJSON(b *testing.B) {
	event := auditEvent(b)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		var e eventStruct
		if err := json.Unmarshal(event, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSkipStrings(b *testing.B) {
	for _, length := range []int{4, 12, 40, 4000} {
		text := []byte(`["` + strings.Repeat(strings.Repeat("x", length)+`","`, 100) + `"]`)
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s := New(text)
				if err := s.Skip(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type eventFields struct {
	auditID, stage, verb, uri, user, resource, name []byte
	code                                            int64
	response                                        []byte
}

func (e *eventFields) scan(s *Scanner) error {
	return s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "auditID":
			e.auditID, err = s.Bytes()
		case "stage":
			e.stage, err = s.Bytes()
		case "verb":
			e.verb, err = s.Bytes()
		case "requestURI":
			e.uri, err = s.Bytes()
		case "user":
			err = s.Object(func(key []byte) (err error) {
				if string(key) == "username" {
					e.user, err = s.Bytes()
				}
				return err
			})
		case "objectRef":
			err = s.Object(func(key []byte) (err error) {
				switch string(key) {
				case "resource":
					e.resource, err = s.Bytes()
				case "name":
					e.name, err = s.Bytes()
				}
				return err
			})
		case "responseStatus":
			err = s.Object(func(key []byte) (err error) {
				if string(key) == "code" {
					e.code, err = s.Int()
				}
				return err
			})
		case "responseObject":
			e.response, err = s.Raw()
		}
		return err
	})
}

type eventStruct struct {
	AuditID, Stage, Verb, RequestURI string
	User                             struct{ Username string }
	ObjectRef                        struct{ Resource, Name string }
	ResponseStatus                   struct{ Code int64 }
	ResponseObject                   json.RawMessage
}
