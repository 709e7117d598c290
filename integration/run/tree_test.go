// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

func TestTreeNestsObjectsAndListsWhatWasDoneUnderEach(t *testing.T) {
	trace := testbed.Trace{ID: "1", Spans: []testbed.Span{
		object("d", "", "deployments/demo"),
		request("d", 1, "alice", "create", "", 201, ""),
		object("r1", "d", "replicasets/demo-1"),
		object("p1", "r1", "pods/demo-1-a"),
		request("p1", 3, "system:node:node-0", "patch", "status", 200, ""),
		request("r1", 2, "system:serviceaccount:kube-system:deployment-controller", "create", "", 201, ""),
		object("r2", "d", "replicasets/demo-2"),
		request("r2", 5, "system:serviceaccount:kube-system:replicaset-controller", "update", "status", 409, "Conflict"),
		request("r2", 4, "bob", "get", "log", 200, ""),
		{ID: "e", ParentID: "r2", Operation: "ScalingReplicaSet", Start: at(6), Tags: map[string]any{attr.SpanType: attr.SpanTypeEvent}},
	}}
	trace.Spans[4].Tags[attr.AuditNoop] = true

	var got strings.Builder
	writeTree(&got, trace)

	assert.Equal(t, `deployments/demo
│  00:00:01.000  alice                                 create         201
├─ replicasets/demo-1
│  │  00:00:02.000  kube-system:deployment-controller     create         201
│  └─ pods/demo-1-a
│        00:00:03.000  system:node:node-0                    patch status   200 (changed nothing)
└─ replicasets/demo-2
      00:00:04.000  bob                                   get log        200
      00:00:05.000  kube-system:replicaset-controller     update status  409 Conflict
      00:00:06.000  ScalingReplicaSet
`, got.String())
}

func TestTreeEndsWhenSpansAreEachOthersParents(t *testing.T) {
	var got strings.Builder
	writeTree(&got, testbed.Trace{Spans: []testbed.Span{object("root", "", "a/a"), object("x", "root", "b/b"), object("root", "x", "a/a")}})
	assert.NotEmpty(t, got.String())
}

func at(second int) time.Time { return time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC) }

func object(id, parent, name string) testbed.Span {
	return testbed.Span{ID: id, ParentID: parent, Operation: name, Start: at(0), Tags: map[string]any{attr.SpanType: attr.SpanTypeObject}}
}

func request(parent string, second int, user, verb, subresource string, code int64, reason string) testbed.Span {
	tags := map[string]any{
		attr.SpanType: attr.SpanTypeAudit, attr.UserName: user, attr.AuditVerb: verb, attr.HTTPResponseStatus: code,
	}
	if subresource != "" {
		tags[attr.AuditSubresource] = subresource
	}
	if reason != "" {
		tags[attr.ErrorType] = reason
	}
	return testbed.Span{ID: user + verb + subresource, ParentID: parent, Operation: user + " " + verb, Start: at(second), Tags: tags}
}
