// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditevent // import "github.com/kelemetry/kelemetry/internal/auditlog/auditevent"

import (
	"errors"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Body is what placing an object needs of a response or request body. It aliases the body's text.
type Body struct {
	APIVersion, Kind []byte
	// HasMetadata is false for bodies that are no objects, and for patches that leave metadata alone.
	HasMetadata bool
	Metadata    Metadata
	// Status is set for kind Status only.
	Status Status
}

// Metadata is the part of metav1.ObjectMeta that identifies an object.
type Metadata struct {
	Name, GenerateName, Namespace, UID, ResourceVersion []byte
	Generation                                          int64
	// Owners are the owner references as identity.FormatOwners writes them; empty if there is no list of them.
	Owners string
	// Raw is the JSON text of the whole metadata.
	Raw []byte
}

var errEnough = errors.New("all that is needed has been read")

// DecodeBody reads the head of an object's body. It stops after the metadata, which API servers write first.
func DecodeBody(text []byte) (Body, error) {
	var b Body
	s := jsonscan.New(text)
	err := b.read(text, &s, nil, true)
	return b, err
}

// read reads the head of the object that is next in text, and stops there or skips the rest.
func (b *Body) read(text []byte, s *jsonscan.Scanner, table *Strings, stop bool) error {
	var details []byte
	enough := false
	err := s.Object(func(key []byte) (err error) {
		if enough {
			return s.Skip()
		}
		switch string(key) {
		case "kind":
			b.Kind, err = s.Bytes()
		case "apiVersion":
			b.APIVersion, err = s.Bytes()
		case "metadata":
			err = b.metadata(text, s, table)
		case "details":
			details, err = s.Raw() // what it means depends on the kind, which may follow
		default:
			err = s.Skip()
		}
		enough = err == nil && b.HasMetadata && b.Kind != nil && b.APIVersion != nil && string(b.Kind) != "Status"
		if enough && stop {
			return errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err == nil && string(b.Kind) == "Status" && details != nil {
		s := jsonscan.New(details)
		err = decodeDetails(&s, &b.Status)
	}
	return err
}

func (b *Body) metadata(text []byte, s *jsonscan.Scanner, table *Strings) error {
	if s.Next() == jsonscan.Null {
		return s.Skip()
	}
	start := s.Offset()
	if err := b.Metadata.decode(s, table); err != nil {
		return err
	}
	b.HasMetadata = true
	b.Metadata.Raw = text[start:s.Offset()]
	return nil
}

func (m *Metadata) decode(s *jsonscan.Scanner, table *Strings) error {
	return s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "name":
			m.Name, err = s.Bytes()
		case "generateName":
			m.GenerateName, err = s.Bytes()
		case "namespace":
			m.Namespace, err = s.Bytes()
		case "uid":
			m.UID, err = s.Bytes()
		case "resourceVersion":
			m.ResourceVersion, err = s.Bytes()
		case "generation":
			m.Generation, err = s.Int()
		case "ownerReferences":
			m.Owners, err = readOwners(s, table)
		default:
			err = s.Skip()
		}
		return err
	})
}

// readOwners reads a list of owner references. Siblings have the same text, and again and again.
func readOwners(s *jsonscan.Scanner, table *Strings) (string, error) {
	if s.Next() == jsonscan.Null {
		return "", s.Skip()
	}
	list := *s
	text, err := s.Raw()
	if err != nil {
		return "", err
	}
	return table.derive(formattedOwners, text, func() (string, error) {
		var owners []identity.OwnerReference
		err := list.Array(func() error {
			o, err := readOwner(&list)
			owners = append(owners, o)
			return err
		})
		return identity.FormatOwners(owners), err
	})
}

func readOwner(s *jsonscan.Scanner) (o identity.OwnerReference, err error) {
	err = s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "apiVersion":
			o.APIVersion, err = s.Str()
		case "kind":
			o.Kind, err = s.Str()
		case "name":
			o.Name, err = s.Str()
		case "uid":
			o.UID, err = s.Str()
		case "controller":
			o.Controller, err = s.Bool()
		default:
			err = s.Skip()
		}
		return err
	})
	return o, err
}

// EachItem calls item with the JSON text of each item of a List body.
func EachItem(text []byte, item func(text []byte) error) error {
	s := jsonscan.New(text)
	return s.Object(func(key []byte) error {
		if string(key) != "items" || s.Next() != jsonscan.Array {
			return s.Skip()
		}
		return s.Array(func() error {
			text, err := s.Raw()
			if err != nil {
				return err
			}
			return item(text)
		})
	})
}

// BindingTarget returns the name of the node that a Binding's body puts its Pod on; nil when it names none.
func BindingTarget(text []byte) []byte {
	var kind, name []byte
	s := jsonscan.New(text)
	err := s.Object(func(key []byte) error {
		if string(key) != "target" {
			return s.Skip()
		}
		return objectOrNull(&s, func(key []byte) (err error) {
			switch string(key) {
			case "kind":
				kind, err = s.Bytes()
			case "name":
				name, err = s.Bytes()
			default:
				err = s.Skip()
			}
			return err
		})
	})
	if err != nil || len(kind) > 0 && string(kind) != "Node" {
		return nil
	}
	return name
}
