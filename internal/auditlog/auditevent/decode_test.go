// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// reference is audit.k8s.io/v1 Event as Kubernetes declares it, decoded by the standard library.
type reference struct {
	Level, AuditID, Stage, RequestURI, Verb, UserAgent string
	User                                               authenticationv1.UserInfo
	ImpersonatedUser                                   *authenticationv1.UserInfo
	SourceIPs                                          []string
	ObjectRef                                          *struct{ Resource, Namespace, Name, UID, APIGroup, APIVersion, ResourceVersion, Subresource string }
	ResponseStatus                                     *metav1.Status
	RequestObject, ResponseObject                      json.RawMessage
	RequestReceivedTimestamp, StageTimestamp           metav1.MicroTime
	Annotations                                        map[string]string
}

const completeEvent = `{
	"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a-1","stage":"ResponseComplete",
	"requestURI":"/api/v1/namespaces/d/pods?dryRun=All","verb":"create",
	"user":{"username":"ali\u0063e","uid":"u1","groups":["g1","g2"],"extra":{"authentication.kubernetes.io/pod-name":["p-1"],
		"authentication.kubernetes.io/node-name":["n-1"],"other":["x"]}},
	"impersonatedUser":{"username":"bob","groups":["g3"]},
	"sourceIPs":["10.0.0.1","127.0.0.1"],"userAgent":"kubectl/v1",
	"objectRef":{"resource":"pods","namespace":"d","name":"n","uid":"o1","apiGroup":"g","apiVersion":"v1","resourceVersion":"7","subresource":"status"},
	"responseStatus":{"metadata":{},"status":"Failure","message":"no","reason":"Invalid","code":422,
		"details":{"name":"n","uid":"o1","causes":[{"reason":"FieldValueInvalid","message":"bad","field":"spec"}]}},
	"requestObject":{"a":1},"responseObject":{"b":[{}]},
	"requestReceivedTimestamp":"2026-01-02T03:04:05.123456Z","stageTimestamp":"2026-01-02T03:04:06.500000Z",
	"annotations":{"k":"v","l":""}}`

func TestLineReadsEveryField(t *testing.T) {
	e, err := new(Decoder).Line([]byte(completeEvent))
	require.NoError(t, err)
	requireEqual(t, []byte(completeEvent), e)

	assert.Equal(t, "p-1", string(e.User.Pod))
	assert.Equal(t, "n-1", string(e.User.Node))
	assert.Equal(t, "o1", string(e.Status.DetailsUID))
	assert.Equal(t, []Cause{{[]byte("FieldValueInvalid"), []byte("bad"), []byte("spec")}}, e.Status.Causes)
	assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC), e.RequestReceived.UTC())
	assert.Equal(t, completeEvent, string(e.Raw))
}

// requireEqual compares with what the standard library reads from the same text.
func requireEqual(t *testing.T, text []byte, e *Event) {
	t.Helper()
	var want reference
	require.NoError(t, json.Unmarshal(text, &want))
	got := reference{
		Level: string(e.Level), AuditID: string(e.AuditID), Stage: string(e.Stage), RequestURI: string(e.RequestURI),
		Verb: string(e.Verb), UserAgent: string(e.UserAgent),
		RequestReceivedTimestamp: metav1.NewMicroTime(e.RequestReceived), StageTimestamp: metav1.NewMicroTime(e.StageTime),
		SourceIPs: toStrings(e.SourceIPs), RequestObject: e.RequestObject, ResponseObject: e.ResponseObject,
	}
	assert.Equal(t, want.Level, got.Level)
	assert.Equal(t, want.AuditID, got.AuditID)
	assert.Equal(t, want.Stage, got.Stage)
	assert.Equal(t, want.RequestURI, got.RequestURI)
	assert.Equal(t, want.Verb, got.Verb)
	assert.Equal(t, want.UserAgent, got.UserAgent)
	assert.Equal(t, toEmpty(want.SourceIPs), got.SourceIPs)
	assert.Equal(t, withoutNull(want.RequestObject), string(got.RequestObject))
	assert.Equal(t, withoutNull(want.ResponseObject), string(got.ResponseObject))
	assert.True(t, want.RequestReceivedTimestamp.Time.Equal(e.RequestReceived))
	assert.True(t, want.StageTimestamp.Time.Equal(e.StageTime))
	equalUser(t, &want.User, &e.User)
	if want.ImpersonatedUser != nil {
		equalUser(t, want.ImpersonatedUser, &e.Impersonated)
	}
	if r := want.ObjectRef; r != nil {
		assert.Equal(t,
			[]string{r.Resource, r.Namespace, r.Name, r.UID, r.APIGroup, r.APIVersion, r.ResourceVersion, r.Subresource},
			toStrings([][]byte{
				e.Ref.Resource, e.Ref.Namespace, e.Ref.Name, e.Ref.UID, e.Ref.Group, e.Ref.Version, e.Ref.ResourceVersion, e.Ref.Subresource,
			}))
	}
	if s := want.ResponseStatus; s != nil {
		assert.EqualValues(t, s.Code, e.Status.Code)
		assert.Equal(t, string(s.Reason), string(e.Status.Reason))
		assert.Equal(t, s.Message, string(e.Status.Message))
	}
	annotations := make(map[string]string)
	e.EachAnnotation(func(key, value []byte) { annotations[string(key)] = e.Strings.Unquoted(value) })
	if len(want.Annotations)+len(annotations) > 0 {
		assert.Equal(t, want.Annotations, annotations)
	}
}

func equalUser(t *testing.T, want *authenticationv1.UserInfo, got *User) {
	t.Helper()
	assert.Equal(t, want.Username, string(got.Name))
	assert.Equal(t, want.UID, string(got.UID))
	assert.Equal(t, toEmpty(want.Groups), toStrings(got.Groups))
}

func toStrings(texts [][]byte) []string {
	all := make([]string, 0, len(texts))
	for _, text := range texts {
		all = append(all, string(text))
	}
	return all
}

func toEmpty(texts []string) []string { return append([]string{}, texts...) }

func withoutNull(text json.RawMessage) string {
	if string(text) == "null" {
		return ""
	}
	return string(text)
}

func TestAnItemThatIsNoEventDoesNotCostTheOthers(t *testing.T) {
	good := `{"auditID":"a","stage":"Panic","stageTimestamp":"2026-01-02T03:04:05Z"}`
	for name, bad := range map[string]string{
		"number":             `7`,
		"null":               `null`,
		"empty":              `{}`,
		"no ID":              `{"stage":"Panic","stageTimestamp":"2026-01-02T03:04:05Z"}`,
		"no stage":           `{"auditID":"a","stageTimestamp":"2026-01-02T03:04:05Z"}`,
		"no time":            `{"auditID":"a","stage":"Panic"}`,
		"bad time":           `{"auditID":"a","stage":"Panic","stageTimestamp":"yesterday","user":{"username":"x"}}`,
		"wrong type":         `{"auditID":{},"stage":"Panic"}`,
		"wrong type, nested": `{"auditID":"a","user":{"username":["x",{"y":1}],"uid":"z"},"stage":"Panic","stageTimestamp":"2026-01-02T03:04:05Z"}`,
	} {
		t.Run(name, func(t *testing.T) {
			list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + good + `,` + bad + `,` + good + `]}`
			var events, errs int
			err := new(Decoder).List([]byte(list), func(e *Event, err error) {
				if err != nil {
					errs++
					return
				}
				assert.JSONEq(t, good, string(e.Raw))
				assert.Equal(t, "a", string(e.AuditID))
				assert.Empty(t, e.User.Name, "left from another item")
				events++
			})
			require.NoError(t, err)
			assert.Equal(t, 2, events)
			assert.Equal(t, 1, errs)
		})
	}
}

func TestListRefusesWhatIsNoEventList(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{``, "want a JSON EventList"},
		{`null`, "got kind"},
		{`[]`, "want a JSON EventList"},
		{`{`, "want a JSON EventList"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]} x`, "want a JSON EventList"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"a]}`, "want a JSON EventList"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":{}}`, "want a JSON EventList"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1"}`, "without items"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1beta1","items":[]}`, `got kind "EventList" of apiVersion "audit.k8s.io/v1beta1"`},
		{`{"kind":"Event","apiVersion":"audit.k8s.io/v1","items":[]}`, `got kind "Event"`},
		{`{"items":[]}`, `got kind ""`},
	} {
		require.ErrorContains(t, new(Decoder).List([]byte(tt.text), func(*Event, error) {}), tt.want, tt.text)
	}
	require.NoError(t, new(Decoder).List([]byte(`{"items":null,"apiVersion":"audit.k8s.io/v1","kind":"EventList"}`), func(*Event, error) {}))
}

func TestLineRefusesWhatIsNoEvent(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{}`, completeEvent[:len(completeEvent)/2], completeEvent + "{}",
		`{"kind":"Pod","apiVersion":"v1","auditID":"a","stage":"Panic","stageTimestamp":"2026-01-02T03:04:05Z"}`,
	} {
		_, err := new(Decoder).Line([]byte(text))
		require.Error(t, err, text)
	}
}

func TestDecodeBodyReadsTheHeadOfAnObject(t *testing.T) {
	body, err := DecodeBody([]byte(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"d","uid":"u","resourceVersion":"9",
		"generation":3,"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"ru","controller":true,"blockOwnerDeletion":true}]},
		"spec":{}}`))
	require.NoError(t, err)
	assert.Equal(t, "Pod", string(body.Kind))
	assert.Equal(t, "p", string(body.Metadata.Name))
	assert.EqualValues(t, 3, body.Metadata.Generation)
	assert.Equal(t, identity.FormatOwners([]identity.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "r", UID: "ru", Controller: true}}), body.Metadata.Owners)

	body, err = DecodeBody([]byte(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"d","uid":"u2"}}`))
	require.NoError(t, err)
	assert.Equal(t, "u2", string(body.Status.DetailsUID))

	body, err = DecodeBody([]byte(`{"details":{"uid":"u3"},"kind":"Status"}`))
	require.NoError(t, err)
	assert.Equal(t, "u3", string(body.Status.DetailsUID))

	body, err = DecodeBody([]byte(`{"details":7,"kind":"Other"}`))
	require.NoError(t, err)
	assert.Empty(t, body.Status.DetailsUID)

	body, err = DecodeBody([]byte(`{"spec":{"replicas":4}}`)) // a patch
	require.NoError(t, err)
	assert.False(t, body.HasMetadata)
}

// TestResponseReadInPassingIsAsDecoded: what the decoder reads of a response while it looks for its end is what DecodeBody reads of it.
func TestResponseReadInPassingIsAsDecoded(t *testing.T) {
	for _, body := range []string{
		`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","uid":"u","ownerReferences":[{"kind":"K","name":"o","controller":true}]},"spec":{"a":[1]}}`,
		`{"metadata":{"name":"p"},"spec":{},"kind":"Pod","apiVersion":"v1"}`,
		`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"first"},"metadata":{"name":"second"}}`,
		`{"kind":"Status","apiVersion":"v1","metadata":{},"details":{"name":"d","uid":"u2"}}`,
		`{"kind":"Status","details":7}`,
		`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","ownerReferences":null}}`,
		`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","ownerReferences":[{"kind":7}],"uid":"u"}}`,
		`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","ownerReferences":{}}}`,
		`{"kind":["x"],"metadata":{"name":"p"}}`,
		`{"kind":"Pod","metadata":{"name":{"a":1},"uid":"u"},"apiVersion":"v1"}`,
		`{"kind":"Pod","metadata":"text"}`,
		`{"kind":"Pod","metadata":null,"apiVersion":"v1"}`,
		`{}`, `[]`, `"text"`, `7`, `null`,
	} {
		for _, verb := range []string{"create", "get"} {
			line := `{"auditID":"a","stage":"Panic","stageTimestamp":"2026-01-02T03:04:05Z","verb":"` + verb + `","responseObject": ` + body + ` }`
			e, err := new(Decoder).Line([]byte(line))
			require.NoError(t, err, body)
			if body == "null" {
				assert.Nil(t, e.ResponseObject)
				continue
			}
			assert.Equal(t, body, string(e.ResponseObject))
			sameResponse(t, e)
		}
	}
}

func sameResponse(t *testing.T, e *Event) {
	t.Helper()
	want, wantErr := DecodeBody(e.ResponseObject)
	got, err := e.Response()
	assert.Equal(t, wantErr == nil, err == nil, "%s: %v, %v", e.ResponseObject, wantErr, err)
	if wantErr == nil {
		assert.Equal(t, want, got, string(e.ResponseObject))
	}
}

// fuzzSeeds are a good list and what hostile or broken senders may make of one.
func fuzzSeeds(f *testing.F) {
	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + completeEvent + `]}`
	f.Add([]byte(list))
	f.Add([]byte(list[:len(list)-2]))
	corpus, err := filepath.Glob(filepath.Join("testdata", "malformed", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, corpus)
	for _, path := range corpus {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(text)
	}
}

// FuzzList checks that List takes exactly what the standard library takes for JSON, and reads the same from it.
func FuzzList(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		err := new(Decoder).List(text, func(e *Event, err error) {
			if err != nil || !json.Valid(e.Raw) {
				return
			}
			if e.ResponseObject != nil {
				sameResponse(t, e)
			}
			for _, body := range [][]byte{e.RequestObject, e.ResponseObject} {
				if body == nil {
					continue
				}
				if !json.Valid(body) {
					t.Errorf("body is not JSON: %q", body)
				}
				_, _ = DecodeBody(body)
				_ = EachItem(body, func([]byte) error { return nil })
				_ = BindingTarget(body)
			}
		})
		if err == nil && !json.Valid(text) {
			t.Errorf("took what is not JSON: %q", text)
		}
	})
}

// FuzzLine checks that what is read of an event is what the standard library reads. That knows no difference between upper and
// lower case in keys, and merges what has the same key: such texts are left out.
func FuzzLine(f *testing.F) {
	f.Add([]byte(completeEvent))
	f.Add([]byte(`{"auditID":"a\u0026\ud800\ud83d\ude00","stage":"Panic","stageTimestamp":"2026-01-02T03:04:05.000000Z","user":null,"sourceIPs":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !hasPlainKeys(text) || json.Unmarshal(text, new(reference)) != nil {
			return
		}
		if e, err := new(Decoder).Line(text); err == nil {
			requireEqual(t, text, e)
		}
	})
}

// keys are those of an event that encoding/json would also take in another case.
var keys = strings.Fields(`level auditID stage requestURI verb userAgent user impersonatedUser username uid groups sourceIPs objectRef resource namespace
	name apiGroup apiVersion resourceVersion subresource responseStatus code reason message requestObject responseObject
	requestReceivedTimestamp stageTimestamp annotations`)

// hasPlainKeys is true of JSON in which no object has a key twice, and no key is one of an event in another case.
func hasPlainKeys(text []byte) bool {
	type container struct {
		keys  map[string]bool // nil for an array
		isKey bool
	}
	var open []container
	tokens := json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := tokens.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if n := len(open); n > 0 && open[n-1].keys != nil && token != json.Delim('}') {
			in := &open[n-1]
			if in.isKey = !in.isKey; in.isKey {
				key := token.(string)
				for _, known := range keys {
					if key != known && strings.EqualFold(key, known) {
						return false
					}
				}
				if in.keys[key] {
					return false
				}
				in.keys[key] = true
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			open = append(open, container{keys: map[string]bool{}})
		case json.Delim('['):
			open = append(open, container{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
}
