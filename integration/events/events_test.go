// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor"
)

// TestRollOutIsToldByItsEvents: each Event that the API server has of it is a span under its object.
func TestRollOutIsToldByItsEvents(t *testing.T) {
	r := newReplica(t, shared)
	link := k8slinkprocessor.NewFactory()
	next, err := link.CreateTraces(t.Context(), processortest.NewNopSettings(link.Type()), link.CreateDefaultConfig(), r.told)
	require.NoError(t, err)
	require.NoError(t, next.Start(t.Context(), componenttest.NewNopHost()))
	stop := r.start(next)

	result, err := testbed.RolloutScenario(t.Context(), shared, testbed.RolloutOptions{Namespace: "rollout"})
	require.NoError(t, err)
	list, err := shared.Admin.Client.EventsV1().Events(result.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, list.Items)

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		states := r.told.states(result.Namespace)
		for _, e := range list.Items {
			assert.Contains(c, states, state{e.UID, countOf(&e)}, "%s of %s", e.Reason, e.Regarding.Name)
		}
	}, patience, 50*time.Millisecond)
	stop()
	require.NoError(t, next.Shutdown(t.Context()))

	uids := map[string]*eventsv1.Event{}
	for i := range list.Items {
		uids[string(list.Items[i].UID)] = &list.Items[i]
	}
	objects, reasons, all := map[string]span{}, map[string]bool{}, r.told.spans()
	for _, s := range all {
		if s.isObject() {
			objects[s.id()] = s
		}
	}
	for _, s := range r.told.in(result.Namespace) {
		parent, ok := objects[s.TraceID().String()+s.ParentSpanID().String()]
		require.True(t, ok, "%s is under no object", s.Name())
		if e := uids[text(s.Attributes(), attr.EventUID)]; e != nil {
			assert.Equal(t, e.Reason, s.Name())
			assert.Equal(t, strings.ToLower(e.Regarding.Kind)+"s/"+e.Regarding.Name, parent.Name())
			assert.Equal(t, string(e.Regarding.UID), text(s.resource, attr.ObjectUID))
			message, ok := s.Events().At(0).Attributes().Get(attr.MessageText)
			assert.True(t, ok)
			if s.state().count == countOf(e) { // with similar events combined, each state has a note of its own
				assert.Equal(t, e.Note, message.Str())
			}
			assert.NotEmpty(t, text(s.Attributes(), attr.EventReportingController))
		}
		resource, _, _ := strings.Cut(parent.Name(), "/")
		reasons[resource+" "+s.Name()] = true
	}
	for _, want := range []string{
		"deployments ScalingReplicaSet", "replicasets SuccessfulCreate", "replicasets SuccessfulDelete", "pods Scheduled",
	} {
		assert.True(t, reasons[want], "no %s among %v", want, reasons)
	}
	deployment := identity.Object{Cluster: "live", Group: "apps", Resource: "deployments", Namespace: result.Namespace, Name: result.Deployment.Name}
	scaled := 0
	for _, s := range r.told.in(result.Namespace) {
		if s.Name() == "ScalingReplicaSet" {
			scaled++
			assert.Equal(t, identity.ObjectSpanID(s.TraceID(), identity.ObjectID(deployment)), s.ParentSpanID())
		}
	}
	t.Logf("%d Events, %d spans, %d of them ScalingReplicaSet; %v", len(list.Items), len(r.told.in(result.Namespace)), scaled, reasons)
}

func countOf(e *eventsv1.Event) int64 {
	count := e.DeprecatedCount
	if e.Series != nil {
		count = e.Series.Count
	}
	return int64(max(count, 1))
}

func TestClusterScopedObjectsAreInNoNamespace(t *testing.T) {
	r := newReplica(t, shared)
	_, err := shared.Admin.Client.EventsV1().Events("default").Create(t.Context(), &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "about-a-node"}, EventTime: metav1.NowMicro(), Reason: "Tested", Action: "Testing", Type: "Warning",
		ReportingController: "example.com/test", ReportingInstance: "test-0",
		Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: testbed.NodeName(0)},
		Related:   &corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "kube-system", Name: "proxy", UID: "u"},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	stop := r.start()
	var found span
	require.Eventually(t, func() bool {
		for _, s := range r.told.spans() {
			if s.Name() == "Tested" {
				found = s
				return true
			}
		}
		return false
	}, patience, 20*time.Millisecond)
	stop()
	assert.Equal(t, "nodes/"+testbed.NodeName(0), found.object())
	assert.Empty(t, text(found.resource, attr.Namespace))
	pod := identity.Object{Cluster: "live", Resource: "pods", Namespace: "kube-system", Name: "proxy"}
	require.Equal(t, 1, found.Links().Len())
	window := identity.DefaultWindow.Start(found.StartTimestamp().AsTime())
	assert.Equal(t, identity.TraceID(pod, window), found.Links().At(0).TraceID())
	assert.Equal(t, identity.ObjectID(pod).String(), text(found.Attributes(), attr.RelatedID))
	assert.Equal(t, ptrace.StatusCodeUnset, found.Status().Code())
	assert.Equal(t, "Warning", text(found.Attributes(), attr.EventType))
}

// TestRestartsLeaveNoGapAndNoDuplicate while Events come without a pause, in both styles, and are repeated.
func TestRestartsLeaveNoGapAndNoDuplicate(t *testing.T) {
	r, events := newReplica(t, shared), newReporter(t, shared, "restarts")
	for i := range 15 {
		stop := r.start()
		if i == 0 {
			r.awaitWatch()
		}
		for range 6 {
			name, uid := events.report()
			events.repeat(name, uid, 3)
			events.repeat(name, uid, 9)
		}
		stop()
		name, uid := events.report() // nobody listens
		events.repeat(name, uid, 2)
	}
	stop := r.start()
	requireAll(t, r, events)
	stop()
	lists, watches := r.cluster.requests.made()
	t.Logf("%d states of %d Events over 16 runs, %d lists, %d watches", len(events.written), events.made, lists, watches)
	assert.Equal(t, 1, lists, "only the first start needs a list")

	increases := 0
	for _, s := range r.told.in("restarts") {
		if v, ok := s.Attributes().Get(attr.EventIncrease); ok && v.Int() == 6 && s.state().count == 9 {
			increases++
		}
	}
	assert.NotZero(t, increases, "the jump from 3 to 9 shows")
}

// requireAll: every state that was written is told once, and under an ID of its own.
func requireAll(t *testing.T, r *replica, events *reporter) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		states := r.told.states(events.namespace)
		assert.Len(c, states, len(events.written))
	}, patience, 20*time.Millisecond)
	assert.Equal(t, events.written, r.told.states(events.namespace))
	ids := map[string]bool{}
	for _, s := range r.told.spans() {
		assert.False(t, ids[s.id()], "two spans have the ID of %s", s.Name())
		ids[s.id()] = true
	}
}

// TestReplicasAtTheSameTimeSendTheSameIDs.
func TestReplicasAtTheSameTimeSendTheSameIDs(t *testing.T) {
	events := newReporter(t, shared, "replicas")
	replicas := []*replica{newReplica(t, shared), newReplica(t, shared), newReplica(t, shared)}
	for _, r := range replicas[:2] {
		r.start()
		r.awaitWatch()
	}
	for i := range 60 {
		name, uid := events.report()
		if i == 30 {
			replicas[2].start() // late: it lists what was before
		}
		events.repeat(name, uid, 2)
		events.repeat(name, uid, 7)
	}
	requireAll(t, replicas[0], events)
	requireAll(t, replicas[1], events)
	ids := func(r *replica) []string {
		var ids []string
		for _, s := range r.told.in(events.namespace) {
			ids = append(ids, s.id())
		}
		return ids
	}
	assert.ElementsMatch(t, ids(replicas[0]), ids(replicas[1]))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		last := map[state]bool{}
		for s := range replicas[2].told.states(events.namespace) {
			if s.count == 7 {
				last[s] = true
			}
		}
		assert.Len(c, last, 60, "the last state of every Event")
	}, patience, 20*time.Millisecond)
	assert.Subset(t, ids(replicas[0]), ids(replicas[2]), "who comes late computes the same IDs")
}

// TestHistoryThatIsGone: the API server compacts its history every few seconds here, so that a stored position is soon too
// old to watch from.
func TestHistoryThatIsGone(t *testing.T) {
	c := testbed.ForTest(t, withReader(testbed.Options{
		Components: testbed.APIServerOnly, APIServerFlags: []string{"--etcd-compaction-interval=2s"},
	}))
	r, events := newReplica(t, c), newReporter(t, c, "compacted")
	stop := r.start()
	r.awaitWatch()
	name, uid := events.report()
	events.repeat(name, uid, 3)
	requireAll(t, r, events)
	stop()
	_, before := r.cluster.requests.made()

	version := versionOf(t, c, "compacted", name)
	t.Logf("the API server answers a stale watch with: %s", awaitStale(t, c, version))
	events.repeat(name, uid, 9)
	for range 700 { // more than a page
		events.report()
	}
	stop = r.start()
	requireAll(t, r, events)
	name, uid = events.report() // the watch goes on
	events.repeat(name, uid, 2)
	requireAll(t, r, events)
	stop()
	lists, watches := r.cluster.requests.made()
	t.Logf("%d pages listed and %d watches in all", lists, watches)
	assert.LessOrEqual(t, lists, 5)
	assert.LessOrEqual(t, watches-before, 4)
}

func versionOf(t *testing.T, c *testbed.Cluster, namespace, name string) string {
	t.Helper()
	e, err := c.Admin.Client.EventsV1().Events(namespace).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return e.ResourceVersion
}

// awaitStale waits until a watch from a resourceVersion is refused, and tells how. Meanwhile it changes other objects,
// as they do in a living cluster, for there to be something to compact.
func awaitStale(t *testing.T, c *testbed.Cluster, version string) string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for i := 0; time.Now().Before(deadline); i++ {
		_, err := c.Admin.Client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("noise-%d", i)}}, metav1.CreateOptions{})
		require.NoError(t, err)
		second := int64(1)
		w, err := c.Admin.Client.EventsV1().Events("").Watch(t.Context(), metav1.ListOptions{ResourceVersion: version, TimeoutSeconds: &second})
		if err != nil {
			require.True(t, apierrors.IsResourceExpired(err) || apierrors.IsGone(err), "%v", err)
			return "an error: " + err.Error()
		}
		began := time.Now()
		result, ok := <-w.ResultChan()
		w.Stop()
		switch {
		case ok && result.Type == watch.Error:
			text, err := json.Marshal(result.Object)
			require.NoError(t, err)
			return "200 and " + string(text)
		case !ok && time.Since(began) < 500*time.Millisecond:
			return "200 and the end"
		}
	}
	t.Fatal("the history was not compacted")
	return ""
}
