// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogencodingextension // import "github.com/kelemetry/kelemetry/extension/auditlogencodingextension"

import (
	"bytes"
	"errors"

	"github.com/kelemetry/kelemetry/internal/auditlog"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// addRecord adds the events of a record, in whichever form they are in it:
//
//   - an EventList, as API servers post it to a webhook;
//   - an Event, or one Event a line, as API servers write them to a file;
//   - the records of an Azure Event Hub that an AKS cluster's diagnostic settings send to, whose properties.log is an Event as text.
//     Records of other categories are left out.
//
// After an error there was no event.
func addRecord(batch *auditlog.Batch, record []byte) error {
	switch formOf(record) {
	case formList:
		return batch.AddList(record)
	case formAzure:
		return addAzure(batch, record)
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
)

func formOf(record []byte) form {
	var kind string
	records := false
	s := jsonscan.New(record)
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "kind":
			kind, err = s.Str()
		case "records":
			records = s.Next() == jsonscan.Array
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
			err = s.Object(func(key []byte) (err error) {
				if string(key) != "log" {
					return s.Skip()
				}
				event, err = s.Bytes()
				return err
			})
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
