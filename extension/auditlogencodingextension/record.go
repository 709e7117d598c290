// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogencodingextension // import "github.com/kelemetry/kelemetry/extension/auditlogencodingextension"

import (
	"bytes"
	"errors"
	"strings"

	"github.com/kelemetry/kelemetry/internal/auditlog"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// addRecord adds the events of a record, in whichever form they are in it:
//
//   - an EventList, as API servers post it to a webhook;
//   - an Event, or one Event a line, as API servers write them to a file;
//   - the records of an Azure Event Hub that an AKS cluster's diagnostic settings send to, whose properties.log is an Event as text.
//     Records of other categories are left out;
//   - what a subscription of an EKS cluster's log group in CloudWatch delivers, unpacked: the message of each log event is an Event. Streams
//     of other components are left out.
//
// After an error there was no event.
func addRecord(batch *auditlog.Batch, record []byte) error {
	switch formOf(record) {
	case formList:
		return batch.AddList(record)
	case formAzure:
		return addAzure(batch, record)
	case formCloudWatch:
		return addCloudWatch(batch, record)
	case formEvent:
		batch.AddEvent(record)
		return nil
	default:
		return addLines(batch, record)
	}
}

// form is how a record holds events.
type form int

const (
	formLines form = iota // or nothing that we know
	formEvent
	formList
	formAzure
	formCloudWatch
)

func formOf(record []byte) form {
	var kind string
	records, logEvents := false, false
	s := jsonscan.New(record)
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "kind":
			kind, err = s.Str()
		case "records":
			records = s.Next() == jsonscan.Array
			err = s.Skip()
		case "logEvents":
			logEvents = s.Next() == jsonscan.Array
			err = s.Skip()
		default:
			err = s.Skip()
		}
		return err
	})
	switch {
	case err != nil || s.End() != nil:
		return formLines
	case kind == "EventList":
		return formList
	case kind == "" && records:
		return formAzure
	case kind == "" && logEvents:
		return formCloudWatch
	default:
		return formEvent
	}
}

func addLines(batch *auditlog.Batch, record []byte) error {
	for line := range bytes.Lines(record) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			batch.AddEvent(line)
		}
	}
	if batch.Received == 0 {
		return errors.New("it is empty")
	}
	return nil
}

// addAzure adds the events of {"records":[{"category":"kube-audit","properties":{"log":"<event>"}}]}.
func addAzure(batch *auditlog.Batch, record []byte) error {
	s := jsonscan.New(record)
	return s.Object(func(key []byte) error {
		if string(key) != "records" {
			return s.Skip()
		}
		return s.Array(func() error {
			item, err := s.Raw()
			if err == nil {
				addAzureItem(batch, item)
			}
			return err
		})
	})
}

func addAzureItem(batch *auditlog.Batch, item []byte) {
	var category string
	var event []byte
	s := jsonscan.New(item)
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "category":
			category, err = s.Str()
		case "properties":
			event, err = member(&s, "log")
		default:
			err = s.Skip()
		}
		return err
	})
	if err == nil && category != "" && category != "kube-audit" && category != "kube-audit-admin" {
		return
	}
	batch.AddEvent(event) // whatever is wrong with it is counted
}

// addCloudWatch adds the events of {"messageType":"DATA_MESSAGE","logStream":"kube-apiserver-audit-…","logEvents":[{"message":"<event>"}]}.
// A CONTROL_MESSAGE, by which CloudWatch sees whether somebody is there, has none.
func addCloudWatch(batch *auditlog.Batch, record []byte) error {
	var messageType, stream string
	var events []byte
	s := jsonscan.New(record)
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "messageType":
			messageType, err = s.Str()
		case "logStream":
			stream, err = s.Str()
		case "logEvents":
			events, err = s.Raw() // what they are of may follow
		default:
			err = s.Skip()
		}
		return err
	})
	if err != nil || messageType == "CONTROL_MESSAGE" || stream != "" && !strings.HasPrefix(stream, "kube-apiserver-audit-") {
		return err
	}
	s = jsonscan.New(events)
	return s.Array(func() error {
		item, err := s.Raw()
		if err == nil {
			of := jsonscan.New(item)
			event, _ := member(&of, "message")
			batch.AddEvent(event) // whatever is wrong with it is counted
		}
		return err
	})
}

// member reads the text that a member of the next object is. Without one there is none.
func member(s *jsonscan.Scanner, name string) (text []byte, err error) {
	err = s.Object(func(key []byte) (err error) {
		if string(key) == name {
			text, err = s.Bytes()
		}
		return err
	})
	return text, err
}
