// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditevent // import "github.com/kelemetry/kelemetry/internal/auditlog/auditevent"

import (
	"errors"
	"fmt"
	"time"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

var (
	errNoAuditID = errors.New("auditID is missing")
	errNoStage   = errors.New("stage is missing")
	errNoTime    = errors.New("requestReceivedTimestamp and stageTimestamp are both missing")
)

// Decoder reads audit events and reuses its memory from one to the next. It is not safe for concurrent use.
type Decoder struct {
	text  []byte
	scan  jsonscan.Scanner
	event Event
	table Strings
}

// Release forgets the text that was read last and keeps the memory for the next.
func (d *Decoder) Release() {
	d.text, d.scan = nil, jsonscan.Scanner{}
	d.event.reset()
	clear(d.event.SourceIPs[:cap(d.event.SourceIPs)])
	clear(d.event.User.Groups[:cap(d.event.User.Groups)])
	clear(d.event.Impersonated.Groups[:cap(d.event.Impersonated.Groups)])
	clear(d.event.Status.Causes[:cap(d.event.Status.Causes)])
}

// List reads an EventList and calls item for each of its items in turn: with the event, or with the reason why a
// well-formed item is no audit event, which does not cost the others. The event is valid during the call only.
//
// An error means that text is not an EventList of [APIVersion]; what item was told before must then be discarded.
func (d *Decoder) List(text []byte, item func(*Event, error)) error {
	d.text, d.scan = text, jsonscan.New(text)
	var kind, apiVersion []byte
	found := false
	err := d.scan.Object(func(key []byte) (err error) {
		switch string(key) {
		case "kind":
			kind, err = d.scan.Bytes()
		case "apiVersion":
			apiVersion, err = d.scan.Bytes()
		case "items":
			found = true
			err = d.items(item)
		default:
			err = d.scan.Skip()
		}
		return err
	})
	if err == nil {
		err = d.scan.End()
	}
	switch {
	case err != nil:
		return fmt.Errorf("want a JSON EventList of %s: %w", APIVersion, err)
	case string(kind) != "EventList" || string(apiVersion) != APIVersion:
		return fmt.Errorf("want kind EventList of %s, got kind %q of apiVersion %q", APIVersion, kind, apiVersion)
	case !found:
		return fmt.Errorf("want kind EventList of %s, got one without items", APIVersion)
	}
	return nil
}

func (d *Decoder) items(item func(*Event, error)) error {
	if d.scan.Next() == jsonscan.Null {
		return d.scan.Skip()
	}
	return d.scan.Array(func() error {
		start := d.scan
		err := d.decode()
		if err == nil {
			item(&d.event, nil)
			return nil
		}
		// Whatever stopped the decoding, the text goes on after this item, if it is well-formed.
		d.scan = start
		if err := d.scan.Skip(); err != nil {
			return err
		}
		item(nil, err)
		return nil
	})
}

// Line reads one line of an audit log file, which is one event with its kind. The event is valid until the next call.
func (d *Decoder) Line(text []byte) (*Event, error) {
	d.text, d.scan = text, jsonscan.New(text)
	if err := d.decode(); err != nil {
		return nil, err
	}
	if err := d.scan.End(); err != nil {
		return nil, err
	}
	if d.event.kind != nil && (string(d.event.kind) != "Event" || string(d.event.apiVersion) != APIVersion) {
		return nil, fmt.Errorf("want kind Event of %s, got kind %q of apiVersion %q", APIVersion, d.event.kind, d.event.apiVersion)
	}
	return &d.event, nil
}

// decode reads the next value into d.event. After an error the scanner stands somewhere in the value.
func (d *Decoder) decode() error {
	e := &d.event
	e.reset()
	e.Strings = &d.table
	d.scan.Next() // skips white space, so that Raw starts at the value
	start := d.scan.Offset()
	if err := d.scan.Object(d.field); err != nil {
		return err
	}
	e.Raw = d.text[start:d.scan.Offset()]
	switch {
	case len(e.AuditID) == 0:
		return errNoAuditID
	case len(e.Stage) == 0:
		return errNoStage
	case e.RequestReceived.IsZero() && e.StageTime.IsZero():
		return errNoTime
	}
	return nil
}

func (d *Decoder) field(key []byte) (err error) {
	e, s := &d.event, &d.scan
	switch string(key) {
	case "kind":
		e.kind, err = s.Bytes()
	case "apiVersion":
		e.apiVersion, err = s.Bytes()
	case "level":
		e.Level, err = s.Bytes()
	case "auditID":
		e.AuditID, err = s.Bytes()
	case "stage":
		e.Stage, err = s.Bytes()
	case "requestURI":
		e.RequestURI, err = s.Bytes()
	case "verb":
		e.Verb, err = s.Bytes()
	case "user":
		err = d.user(&e.User)
	case "impersonatedUser":
		err = d.user(&e.Impersonated)
	case "sourceIPs":
		e.SourceIPs, err = d.strings(e.SourceIPs)
	case "userAgent":
		e.UserAgent, err = s.Bytes()
	case "objectRef":
		err = d.objectRef()
	case "responseStatus":
		err = decodeStatus(s, &e.Status)
	case "requestObject":
		e.RequestObject, err = d.body()
	case "responseObject":
		err = d.response()
	case "requestReceivedTimestamp":
		e.RequestReceived, err = d.time()
	case "stageTimestamp":
		e.StageTime, err = d.time()
	case "annotations":
		e.Annotations, err = d.body()
	default:
		err = s.Skip()
	}
	return err
}

func (d *Decoder) user(u *User) error {
	s := &d.scan
	return d.object(func(key []byte) (err error) {
		switch string(key) {
		case "username":
			u.Name, err = s.Bytes()
		case "uid":
			u.UID, err = s.Bytes()
		case "groups":
			u.Groups, err = d.strings(u.Groups)
		case "extra":
			err = d.extra(u)
		default:
			err = s.Skip()
		}
		return err
	})
}

func (d *Decoder) extra(u *User) error {
	return d.object(func(key []byte) error {
		switch string(key) {
		case "authentication.kubernetes.io/pod-name":
			return d.first(&u.Pod)
		case "authentication.kubernetes.io/node-name":
			return d.first(&u.Node)
		default:
			return d.scan.Skip()
		}
	})
}

// first reads the first string of a list.
func (d *Decoder) first(into *[]byte) error {
	return d.array(func() error {
		value, err := d.scan.Bytes()
		if *into == nil {
			*into = value
		}
		return err
	})
}

func (d *Decoder) objectRef() error {
	ref, s := &d.event.Ref, &d.scan
	return d.object(func(key []byte) (err error) {
		switch string(key) {
		case "resource":
			ref.Resource, err = s.Bytes()
		case "namespace":
			ref.Namespace, err = s.Bytes()
		case "name":
			ref.Name, err = s.Bytes()
		case "uid":
			ref.UID, err = s.Bytes()
		case "apiGroup":
			ref.Group, err = s.Bytes()
		case "apiVersion":
			ref.Version, err = s.Bytes()
		case "resourceVersion":
			ref.ResourceVersion, err = s.Bytes()
		case "subresource":
			ref.Subresource, err = s.Bytes()
		default:
			err = s.Skip()
		}
		return err
	})
}

func (d *Decoder) strings(into [][]byte) ([][]byte, error) {
	err := d.array(func() error {
		value, err := d.scan.Bytes()
		into = append(into, value)
		return err
	})
	return into, err
}

// body returns the JSON text of a value; null is none.
func (d *Decoder) body() ([]byte, error) {
	if d.scan.Next() == jsonscan.Null {
		return nil, d.scan.Skip()
	}
	return d.scan.Raw()
}

// response reads the head of a response in passing when it will be asked for. The verb, which comes before, tells: what reads
// answer is only skipped.
func (d *Decoder) response() (err error) {
	e := &d.event
	e.head, e.headErr, e.headed = Body{}, nil, false
	switch string(e.Verb) {
	case "create", "update", "patch", "delete":
	default:
		e.ResponseObject, err = d.body()
		return err
	}
	if d.scan.Next() != jsonscan.Object {
		e.ResponseObject, err = d.body()
		return err
	}
	start := d.scan.Offset()
	err = e.head.read(d.text, &d.scan, &d.table, false)
	if err != nil && !isTypeError(err) {
		return err
	}
	end := d.scan.Offset()
	e.ResponseObject, e.headErr, e.headed = d.text[start:end:end], err, true
	return nil
}

func isTypeError(err error) bool {
	var typeError *jsonscan.TypeError
	return errors.As(err, &typeError)
}

func (d *Decoder) time() (t time.Time, err error) {
	value, err := d.scan.Bytes()
	if err != nil || value == nil {
		return time.Time{}, err
	}
	if err := t.UnmarshalText(value); err != nil {
		return time.Time{}, fmt.Errorf("want an RFC 3339 timestamp, got %q", value)
	}
	return t, nil
}

// object and array read null as empty, as Go's decoders do.

func (d *Decoder) object(field func(key []byte) error) error { return objectOrNull(&d.scan, field) }

func (d *Decoder) array(item func() error) error {
	if d.scan.Next() == jsonscan.Null {
		return d.scan.Skip()
	}
	return d.scan.Array(item)
}

func objectOrNull(s *jsonscan.Scanner, field func(key []byte) error) error {
	if s.Next() == jsonscan.Null {
		return s.Skip()
	}
	return s.Object(field)
}
