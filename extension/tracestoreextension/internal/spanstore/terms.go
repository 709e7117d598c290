// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"
)

// keyService is the resource attribute that says whose span it is.
const keyService = "service.name"

// termOperation is the key of the term that an operation of a service is. No attribute is called so.
const termOperation = "\x00operation"

// terms are the attributes by which spans are found.
type terms map[string]struct{}

// of returns the term of an encoded attribute, if it is one of them.
func (t terms) of(attribute []byte) (term uint64, ok bool) {
	key, value := keyValue(attribute)
	if _, ok := t[string(key)]; !ok {
		return 0, false
	}
	return hashTerm(string(key), asString(value)), true
}

// hashTerm names a term: a key with a value.
func hashTerm(key, value string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(key)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(value)
	return d.Sum64()
}

// hashOperation names the term of an operation.
func hashOperation(service string, name []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(termOperation)
	_, _ = d.WriteString("\x00")
	_, _ = d.WriteString(service)
	_, _ = d.WriteString("\x00")
	_, _ = d.Write(name)
	return d.Sum64()
}

// keyValue returns the key of an attribute and its value, encoded, of an attribute that is well-formed.
func keyValue(attribute []byte) (key, value []byte) {
	for len(attribute) > 0 {
		f, rest, err := next(attribute)
		if err != nil {
			return nil, nil
		}
		switch f.number {
		case fieldKey:
			key = f.value
		case fieldValue:
			value = f.value
		}
		attribute = rest
	}
	return key, value
}

// asString returns an encoded value as pdata writes it.
func asString(value []byte) string {
	if f, rest, err := next(value); err == nil && len(rest) == 0 && f.number == fieldString && f.wire == protowire.BytesType {
		return string(f.value)
	}
	attribute := appendMessage(nil, fieldValue, value)
	resource := appendMessage(nil, fieldResource, appendMessage(nil, fieldAttributes, attribute))
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(appendMessage(nil, fieldResourceSpans, resource))
	if err != nil {
		return ""
	}
	for _, value := range td.ResourceSpans().At(0).Resource().Attributes().All() {
		return value.AsString()
	}
	return ""
}

// serviceOf returns the service of an encoded ResourceSpans.
func serviceOf(resourceSpans []byte) string {
	service := ""
	_ = each(resourceSpans, fieldResource, func(resource []byte) error {
		return each(resource, fieldAttributes, func(attribute []byte) error {
			if key, value := keyValue(attribute); string(key) == keyService {
				service = asString(value)
			}
			return nil
		})
	})
	return service
}

// each calls do for each message in a field of an encoded message.
func each(message []byte, number protowire.Number, do func([]byte) error) error {
	for len(message) > 0 {
		f, rest, err := next(message)
		if err != nil {
			return err
		}
		if f.number == number {
			if f.wire != protowire.BytesType {
				return errWire
			}
			if err := do(f.value); err != nil {
				return err
			}
		}
		message = rest
	}
	return nil
}
