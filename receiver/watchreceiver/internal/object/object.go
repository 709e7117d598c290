// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package object reads from the JSON of a Kubernetes object what the watch receiver needs to know of any object.
package object // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"

import (
	"errors"
	"fmt"
	"time"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Header is what an object says about itself.
type Header struct {
	// Kind and APIVersion are empty for items of a list.
	Kind, APIVersion string

	Namespace, Name, UID, ResourceVersion string

	// Generation and ObservedGeneration are 0 where there is none.
	Generation, ObservedGeneration int64

	// Created is zero where it cannot be read.
	Created time.Time

	// DeletionTimestamp is empty unless the object is being deleted.
	DeletionTimestamp string

	Finalizers []string
	Owners     []identity.OwnerReference
	Labels     map[string]string

	// ManagedFields is raw JSON, a part of the text that was read.
	ManagedFields []byte

	// Annotations are read of bookmarks only.
	Annotations map[string]string
}

// Key is the object's place among those of its resource.
func (h *Header) Key() string {
	if h.Namespace == "" {
		return h.Name
	}
	return h.Namespace + "/" + h.Name
}

// Read reads the header of an object. Members that are not what they should be are left out.
func Read(text []byte) (Header, error) {
	var h Header
	s := jsonscan.New(text)
	if s.Next() != jsonscan.Object {
		return h, errors.New("reading an object: not a JSON object")
	}
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "kind":
			return lenient(str(&s, &h.Kind))
		case "apiVersion":
			return lenient(str(&s, &h.APIVersion))
		case "metadata":
			return lenient(h.readMetadata(&s))
		case "status":
			return lenient(h.readStatus(&s))
		}
		return nil
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return h, fmt.Errorf("reading an object: %w", err)
	}
	return h, nil
}

func (h *Header) readMetadata(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "name":
			err = str(s, &h.Name)
		case "namespace":
			err = str(s, &h.Namespace)
		case "uid":
			err = str(s, &h.UID)
		case "resourceVersion":
			err = str(s, &h.ResourceVersion)
		case "generation":
			h.Generation, err = s.Int()
		case "creationTimestamp":
			h.Created, err = readTime(s)
		case "deletionTimestamp":
			err = str(s, &h.DeletionTimestamp)
		case "finalizers":
			err = s.Array(func() error {
				finalizer, err := s.Str()
				h.Finalizers = append(h.Finalizers, finalizer)
				return err
			})
		case "labels":
			h.Labels, err = readMap(s)
		case "annotations":
			if h.Name == "" { // a bookmark has no name; managed objects have theirs before their annotations
				h.Annotations, err = readMap(s)
			}
		case "ownerReferences":
			err = s.Array(func() error { return h.readOwner(s) })
		case "managedFields":
			if s.Next() == jsonscan.Array {
				h.ManagedFields, err = s.Raw()
			}
		}
		return lenient(err)
	})
}

func (h *Header) readOwner(s *jsonscan.Scanner) error {
	var owner identity.OwnerReference
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "apiVersion":
			err = str(s, &owner.APIVersion)
		case "kind":
			err = str(s, &owner.Kind)
		case "name":
			err = str(s, &owner.Name)
		case "uid":
			err = str(s, &owner.UID)
		case "controller":
			owner.Controller, err = s.Bool()
		}
		return lenient(err)
	})
	if err == nil {
		h.Owners = append(h.Owners, owner)
	}
	return lenient(err)
}

func (h *Header) readStatus(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) (err error) {
		if string(key) == "observedGeneration" {
			h.ObservedGeneration, err = s.Int()
		}
		return lenient(err)
	})
}

// lenient forgives a value of another type, which the scanner has skipped.
func lenient(err error) error {
	var wrongType *jsonscan.TypeError
	if errors.As(err, &wrongType) {
		return nil
	}
	return err
}

func str(s *jsonscan.Scanner, into *string) (err error) {
	*into, err = s.Str()
	return err
}

func readMap(s *jsonscan.Scanner) (map[string]string, error) {
	m := map[string]string{}
	err := s.Object(func(key []byte) error {
		name := string(key)
		value, err := s.Str()
		if err == nil {
			m[name] = value
		}
		return lenient(err)
	})
	return m, err
}

func readTime(s *jsonscan.Scanner) (time.Time, error) {
	text, err := s.Bytes()
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return time.Time{}, nil //nolint:nilerr // not a time: as if it were not there
	}
	return at, nil
}
