// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package object_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadTakesWhatItNeeds(t *testing.T) {
	h, err := object.Read([]byte(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"n","uid":"u","resourceVersion":"5","generation":3,
		"creationTimestamp":"2026-11-23T12:00:00Z","deletionTimestamp":"2026-11-23T12:00:01Z","finalizers":["f"],"labels":{"a":"b"},
		"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"ru","controller":true}],"managedFields":[{"manager":"m"}]},
		"spec":{"name":"not this"},"status":{"observedGeneration":2}}`))
	require.NoError(t, err)
	assert.Equal(t, object.Header{
		Kind: "Pod", APIVersion: "v1", Name: "p", Namespace: "n", UID: "u", ResourceVersion: "5", Generation: 3, ObservedGeneration: 2,
		Created: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), DeletionTimestamp: "2026-11-23T12:00:01Z", Finalizers: []string{"f"},
		Labels: map[string]string{"a": "b"}, ManagedFields: []byte(`[{"manager":"m"}]`),
		Owners: []identity.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "r", UID: "ru", Controller: true}},
	}, h)
	assert.Equal(t, "n/p", h.Key())
}

func TestReadForgivesWhatIsNotAsItShouldBe(t *testing.T) {
	h, err := object.Read([]byte(`{"metadata":{"name":7,"uid":"u","labels":[1],"finalizers":{},"ownerReferences":[1,{"name":"x"}],"generation":"a","creationTimestamp":"never","managedFields":"x"},"status":"fine"}`))
	require.NoError(t, err)
	assert.Equal(t, "u", h.UID)
	for _, bad := range []string{"", "[]", "null", `{"metadata":`, `{} {}`} {
		_, err := object.Read([]byte(bad))
		assert.Error(t, err, bad)
	}
}

func TestWhoNamesThoseWhoOwnWhatChanged(t *testing.T) {
	const managed = `[
		{"manager":"kubectl","operation":"Update","time":"2026-11-23T12:00:00Z","fieldsV1":{"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:image":{},"f:args":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{"f:name":{}}}}}}}}}},
		{"manager":"controller","operation":"Update","subresource":"status","time":"2026-11-23T12:00:05Z","fieldsV1":{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{"f:status":{}}}}}},
		{"manager":"holder","operation":"Update","time":"2026-11-23T11:00:00Z","fieldsV1":{"f:metadata":{"f:finalizers":{".":{},"v:\"example.com/a\"":{}}}}}]`
	for _, c := range []struct{ before, after, who string }{
		{`{"spec":{"replicas":1}}`, `{"spec":{"replicas":2}}`, "kubectl"},
		{`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"a"}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"b"}]}}}}`, "kubectl"},
		{`{"spec":{"template":{"spec":{"containers":[{"name":"app","args":["a"]}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","args":["b"]}]}}}}`, "kubectl"},
		{`{"spec":{"template":{"spec":{"containers":[{"name":"app","ports":[{"containerPort":80,"name":"a"}]}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","ports":[{"containerPort":80,"name":"b"}]}]}}}}`, "kubectl"},
		{`{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`, `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, "controller"},
		{`{"metadata":{"finalizers":[]}}`, `{"metadata":{"finalizers":["example.com/a"]}}`, "holder"},
		{`{"spec":{"paused":true}}`, `{"spec":{}}`, "controller"}, // removed: who wrote last
		{`{"spec":{}}`, `{"spec":{"nodeName":"n"}}`, ""},          // set by the API server
	} {
		result, err := diff.New(diff.Options{}).Compare([]byte(c.before), []byte(c.after), diff.SchemaOf("apps", "Deployment"))
		require.NoError(t, err)
		who := object.Who([]byte(managed), result.Changes)
		if c.who == "" {
			assert.Empty(t, who, c.after)
			continue
		}
		require.Len(t, who, 1, c.after)
		assert.Equal(t, c.who, who[0].Manager, c.after)
	}
	assert.Empty(t, object.Who(nil, nil))
	assert.Empty(t, object.Who([]byte(`[7]`), nil))
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a","managedFields":[{"manager":"m","time":"2026-11-23T12:00:00Z","fieldsV1":{"f:spec":{"k:{\"name\":\"x\"}":{}}}}]}}`), []byte(`{"spec":[{"name":"x"}]}`))
	f.Add([]byte(`{"metadata":{"managedFields":[{"fieldsV1":{"f:a":{"v:1":{},"i:0":{},"":7}}}]}}`), []byte(`{"a":[1]}`))
	d := diff.New(diff.Options{})
	f.Fuzz(func(t *testing.T, text, after []byte) {
		h, err := object.Read(text)
		if json.Valid(text) && bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
			require.NoError(t, err)
		} else {
			require.Error(t, err)
		}
		if result, err := d.Compare([]byte("{}"), after, nil); err == nil {
			_ = object.Who(h.ManagedFields, result.Changes)
		}
	})
}
