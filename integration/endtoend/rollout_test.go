// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

func TestRollOutOfADeploymentIsOneTree(t *testing.T) {
	b := startBed(t, testbed.LevelRequestResponse, directly)
	result, err := testbed.RolloutScenario(t.Context(), b.Cluster, testbed.RolloutOptions{})
	require.NoError(t, err)
	writes := b.written(result.Namespace)
	spans := awaitExported(t, b.live.traces, idsOf(writes))

	t.Run("in Jaeger", func(t *testing.T) { requireTreesInJaeger(t, b, result) })
	t.Run("with every write once, by the right user, in order", func(t *testing.T) {
		requireEveryWriteOnce(t, spans, onRollout(writes))
	})
	t.Run("and the file gives the same IDs", func(t *testing.T) {
		requireSameFromFile(t, b, spans, idsOf(writes), result.Namespace)
	})
}

// requireTreesInJaeger: the Deployment has one trace for each window it lived in, whose objects are nested as they are
// owned, and together they show all objects of the roll-out.
func requireTreesInJaeger(t *testing.T, b *bed, result *testbed.RolloutResult) {
	root := identity.Object{Cluster: "live", Group: "apps", Resource: "deployments", Namespace: result.Namespace, Name: result.Deployment.Name}
	want := map[string]string{root.SpanName(): ""} // object to owner
	owners := map[string]string{}                  // UID to object
	for _, rs := range result.ReplicaSets {
		want["replicasets/"+rs.Name] = root.SpanName()
		owners[string(rs.UID)] = "replicasets/" + rs.Name
	}
	require.Len(t, result.ReplicaSets, 2)
	for _, pod := range result.Pods {
		want["pods/"+pod.Name] = owners[string(pod.Owner)]
	}

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := b.jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
			Service: "live", Tags: map[string]string{attr.ObjectID: identity.ObjectID(root).String()},
		})
		require.NoError(c, err)
		got := map[string]string{}
		windows := map[time.Time]bool{}
		for _, trace := range traces {
			roots := trace.Roots()
			require.Len(c, roots, 1, "%s", trace)
			require.Equal(c, root.SpanName(), roots[0].Operation)
			require.False(c, windows[windowOf(roots[0].Start)], "two traces in one window")
			windows[windowOf(roots[0].Start)] = true
			collectObjects(trace, roots[0], "", got)
		}
		require.Equal(c, want, got)
	}, patience, 200*time.Millisecond)
}

// collectObjects maps each object in a trace to the object it is under.
func collectObjects(trace testbed.Trace, at testbed.Span, above string, into map[string]string) {
	if at.Tags[attr.SpanType] != attr.SpanTypeObject {
		return
	}
	into[at.Operation] = above
	for _, child := range trace.Children(at) {
		collectObjects(trace, child, at.Operation, into)
	}
}

func onRollout(writes []testbed.AuditEvent) []testbed.AuditEvent {
	resources := []string{"deployments", "replicasets", "pods"}
	return slices.DeleteFunc(slices.Clone(writes), func(e testbed.AuditEvent) bool {
		return !slices.Contains(resources, e.ObjectRef.Resource) || e.Verb == "deletecollection"
	})
}

// requireEveryWriteOnce compares spans with the API server's own log.
func requireEveryWriteOnce(t *testing.T, spans []span, writes []testbed.AuditEvent) {
	byAuditID, objects := map[string][]span{}, map[ids]span{}
	for _, s := range spans {
		if s.isObject() {
			objects[s.ids()] = s
			continue
		}
		byAuditID[s.attribute(attr.AuditID)] = append(byAuditID[s.attribute(attr.AuditID)], s)
	}
	for _, e := range writes {
		found := byAuditID[e.AuditID]
		if !assert.Len(t, found, 1, "%s %s of %s by %s", e.AuditID, e.Verb, e.ObjectRef.Name, e.User.Username) {
			continue
		}
		s := found[0]
		parent, ok := objects[ids{s.TraceID(), s.ParentSpanID()}]
		if assert.True(t, ok, "%s is under no object", s.Name()) {
			assert.Equal(t, e.ObjectRef.Resource+"/"+nameOf(t, e), parent.Name())
		}
		assert.Equal(t, e.User.Username, s.attribute(attr.UserName))
		assert.Equal(t, e.RequestReceivedTimestamp.UTC(), s.StartTimestamp().AsTime())
		assert.Equal(t, e.StageTimestamp.UTC(), s.EndTimestamp().AsTime())
		if e.ResponseStatus.Code >= 400 {
			assert.Equal(t, ptrace.StatusCodeError, s.Status().Code(), s.Name())
			assert.Contains(t, s.Name(), "("+e.ResponseStatus.Reason+")")
			assert.Equal(t, e.ResponseStatus.Message, s.Status().Message())
		} else {
			assert.NotEqual(t, ptrace.StatusCodeError, s.Status().Code(), s.Name())
		}
	}
	requireUsers(t, writes, "alice", "deployment-controller", "replicaset-controller", "system:kube-scheduler", "generic-garbage-collector")
}

// requireUsers makes sure that the comparison was about something: each of these has written.
func requireUsers(t *testing.T, writes []testbed.AuditEvent, users ...string) {
	for _, user := range users {
		assert.True(t, slices.ContainsFunc(writes, func(e testbed.AuditEvent) bool {
			return e.User.Username == user || strings.HasSuffix(e.User.Username, ":"+user)
		}), "%s has written nothing", user)
	}
}

// nameOf is the object's name, which is in the response when the server has made it up.
func nameOf(t *testing.T, e testbed.AuditEvent) string {
	if e.ObjectRef.Name != "" {
		return e.ObjectRef.Name
	}
	var object struct{ Metadata struct{ Name string } }
	require.NoError(t, json.Unmarshal(e.ResponseObject, &object))
	return object.Metadata.Name
}

// requireSameFromFile lets another process read the audit log file: it must compute the same IDs for the objects of the
// namespace, byte for byte, for their audit spans and for the objects' own.
func requireSameFromFile(t *testing.T, b *bed, live []span, auditIDs map[string]bool, namespace string) {
	path := t.TempDir() + "/traces.jsonl"
	startCollector(t, "file.yaml", "AUDIT_LOG="+b.auditLog, "TRACES="+path)
	fromFile := awaitExported(t, path, auditIDs)
	assert.Equal(t, describeIDs(live, namespace), describeIDs(fromFile, namespace))
}

func describeIDs(spans []span, namespace string) []string {
	var all []string
	for _, s := range spans {
		if s.namespace() == namespace {
			all = append(all, fmt.Sprintf("%s %s %s %s", s.TraceID(), s.SpanID(), s.ParentSpanID(), s.object()))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestMetadataLevelTellsWhatIsKnown(t *testing.T) {
	b := startBed(t, testbed.LevelMetadata, directly)
	result, err := testbed.RolloutScenario(t.Context(), b.Cluster, testbed.RolloutOptions{})
	require.NoError(t, err)
	writes := b.written(result.Namespace)
	spans := awaitExported(t, b.live.traces, idsOf(writes))

	seen := map[string]span{}
	for _, s := range spans {
		seen[s.attribute(attr.AuditID)] = s
	}
	for _, e := range onRollout(writes) {
		s := seen[e.AuditID]
		want := e.ObjectRef.Resource + "/" + e.ObjectRef.Name // without a name: on the collection
		assert.Equal(t, want, s.object())
		assert.Equal(t, e.User.Username, s.attribute(attr.UserName))
		assert.Equal(t, identity.TraceID(identity.Object{
			Cluster: "live", Group: e.ObjectRef.APIGroup, Resource: e.ObjectRef.Resource, Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name,
		}, windowOf(e.RequestReceivedTimestamp)), s.TraceID(), "without bodies nobody knows owners: each object is its own root")
	}
	require.NoError(t, b.process.Stop())
}
