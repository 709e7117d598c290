// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"encoding/json"
	"errors"

	"github.com/buger/jsonparser"
	"github.com/bytedance/sonic"
	gojsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	goccy "github.com/goccy/go-json"
	"github.com/tidwall/gjson"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// fields are what a span needs of an event, with the response left as it is.
type fields struct {
	auditID, verb, user, resource, name string
	code                                int64
	response                            []byte
}

// approach reads one event, and refuses what it takes for malformed.
type approach struct {
	name string
	read func(text []byte) (fields, error)
}

var approaches = []approach{
	{"jsonscan", scan},
	{"encoding-json", unmarshal[json.RawMessage](json.Unmarshal)},
	{"json-v2", unmarshal[jsontext.Value](func(text []byte, into any) error {
		return gojsonv2.Unmarshal(text, into, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	})},
	{"goccy", unmarshal[goccy.RawMessage](goccy.Unmarshal)},
	{"sonic", unmarshal[json.RawMessage](sonic.ConfigStd.Unmarshal)},
	{"sonic-unchecked", unmarshal[json.RawMessage](sonic.ConfigFastest.Unmarshal)},
	{"gjson", get},
	{"gjson-validated", func(text []byte) (fields, error) {
		if !gjson.ValidBytes(text) {
			return fields{}, errMalformed
		}
		return get(text)
	}},
	{"jsonparser", parse},
}

var errMalformed = errors.New("malformed")

func scan(text []byte) (f fields, err error) {
	s := jsonscan.New(text)
	err = s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "auditID":
			f.auditID, err = s.Str()
		case "verb":
			f.verb, err = s.Str()
		case "user":
			err = s.Object(func(key []byte) (err error) {
				if string(key) == "username" {
					f.user, err = s.Str()
				}
				return err
			})
		case "objectRef":
			err = s.Object(func(key []byte) (err error) {
				switch string(key) {
				case "resource":
					f.resource, err = s.Str()
				case "name":
					f.name, err = s.Str()
				}
				return err
			})
		case "responseStatus":
			err = s.Object(func(key []byte) (err error) {
				if string(key) == "code" {
					f.code, err = s.Int()
				}
				return err
			})
		case "responseObject":
			f.response, err = s.Raw()
		}
		return err
	})
	if err != nil {
		return f, err
	}
	return f, s.End()
}

func unmarshal[Raw ~[]byte](decode func([]byte, any) error) func([]byte) (fields, error) {
	return func(text []byte) (fields, error) {
		var e struct {
			AuditID string `json:"auditID"`
			Verb    string `json:"verb"`
			User    struct {
				Username string `json:"username"`
			} `json:"user"`
			ObjectRef struct {
				Resource string `json:"resource"`
				Name     string `json:"name"`
			} `json:"objectRef"`
			ResponseStatus struct {
				Code int64 `json:"code"`
			} `json:"responseStatus"`
			ResponseObject Raw `json:"responseObject"`
		}
		err := decode(text, &e)
		return fields{e.AuditID, e.Verb, e.User.Username, e.ObjectRef.Resource, e.ObjectRef.Name, e.ResponseStatus.Code, e.ResponseObject}, err
	}
}

func get(text []byte) (fields, error) {
	found := gjson.GetManyBytes(text, "auditID", "verb", "user.username", "objectRef.resource", "objectRef.name", "responseStatus.code", "responseObject")
	return fields{
		found[0].String(), found[1].String(), found[2].String(), found[3].String(), found[4].String(), found[5].Int(), []byte(found[6].Raw),
	}, nil
}

func parse(text []byte) (f fields, err error) {
	str := func(into *string, value []byte) (err error) {
		*into, err = jsonparser.ParseString(value)
		return err
	}
	err = jsonparser.ObjectEach(text, func(key, value []byte, _ jsonparser.ValueType, _ int) (err error) {
		switch string(key) {
		case "auditID":
			err = str(&f.auditID, value)
		case "verb":
			err = str(&f.verb, value)
		case "user":
			f.user, err = jsonparser.GetString(value, "username")
		case "objectRef":
			f.resource, _ = jsonparser.GetString(value, "resource")
			f.name, _ = jsonparser.GetString(value, "name")
		case "responseStatus":
			f.code, _ = jsonparser.GetInt(value, "code")
		case "responseObject":
			f.response = value
		}
		return err
	})
	return f, err
}
