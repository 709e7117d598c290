// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package search

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func parse(t *testing.T, tags map[string]any) Criteria {
	t.Helper()
	q := jaegerstorage.NewQuery()
	require.NoError(t, q.Attributes.FromRaw(tags))
	c, err := Parse(q, time.Hour, now)
	require.NoError(t, err)
	return c
}

// TestTheStorageIsAskedForLessRatherThanForTheWrongThing: what it may not index, or understand otherwise, is matched here.
func TestTheStorageIsAskedForLessRatherThanForTheWrongThing(t *testing.T) {
	c := parse(t, map[string]any{"group": "", "name": "hello", "error": "true", "cluster": "prod", "http.response.status_code": int64(409)})
	q := c.query("prod", 30*time.Minute, 7)
	assert.Equal(t, map[string]any{attr.ObjectName: "hello", "error": true, attr.HTTPResponseStatus: "409"}, q.Attributes.AsRaw())
	assert.Equal(t, "prod", q.Service)
	assert.Empty(t, q.Operation)
	assert.Equal(t, now.Add(-90*time.Minute), q.StartMin, "an object's span starts with its window")
	assert.Equal(t, now, q.StartMax)
	assert.Equal(t, 7, q.Limit)
	assert.Equal(t, "prod", c.Cluster)
	assert.Equal(t, now.Add(-time.Hour), c.Start)
}

func TestExhaustive(t *testing.T) {
	for _, tags := range []map[string]any{nil, {"name": "a"}, {"group": "", "resource": "pods", "namespace": "b", "name": "a", "cluster": "c"}} {
		c := parse(t, tags)
		assert.True(t, c.Exhaustive(), "%v", tags)
	}
	for _, tags := range []map[string]any{{"uid": "a"}, {"kind": "Pod"}, {"user.name": "a"}, {"error": "true"}} {
		c := parse(t, tags)
		assert.False(t, c.Exhaustive(), "%v", tags)
	}
}

func TestMatch(t *testing.T) {
	resource, span := pcommon.NewMap(), ptrace.NewSpan()
	resource.PutStr(attr.ObjectName, "hello")
	resource.PutStr(attr.ObjectGroup, "apps")
	span.Attributes().PutStr(attr.UserName, "alice")
	span.Attributes().PutInt(attr.HTTPResponseStatus, 409)
	span.Events().AppendEmpty().Attributes().PutStr("spec.replicas", "2 -> 4")
	span.Status().SetCode(ptrace.StatusCodeError)
	at := func(start, end time.Duration) {
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(start)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(now.Add(end)))
	}
	matches := func(tags map[string]any) bool {
		c := parse(t, tags)
		return c.match(span, c.rest(resource))
	}
	at(-time.Minute, -time.Minute)
	for _, tags := range []map[string]any{
		nil,
		{"name": "hello"},
		{"user.name": "alice", "name": "hello"},
		{"http.response.status_code": "409"},
		{"namespace": ""},
		{"spec.replicas": "2 -> 4"},
		{"error": "true"},
	} {
		assert.True(t, matches(tags), "%v", tags)
	}
	for _, tags := range []map[string]any{
		{"name": "other"}, {"user.name": "bob"}, {"user.name": ""}, {"unknown": ""}, {"group": ""}, {"namespace": "default"}, {"error": "false"},
	} {
		assert.False(t, matches(tags), "%v", tags)
	}
	for _, test := range []struct {
		start, end time.Duration
		want       bool
	}{
		{-2 * time.Hour, -90 * time.Minute, false},
		{-2 * time.Hour, -time.Minute, true},
		{-time.Hour, 0, true},
		{time.Second, time.Minute, false},
		{-time.Minute, -2 * time.Hour, true},
		{-2 * time.Hour, -3 * time.Hour, false},
	} {
		at(test.start, test.end)
		assert.Equal(t, test.want, matches(nil), "%v", test)
	}
}
