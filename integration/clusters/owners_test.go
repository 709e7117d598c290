// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

// linker is a k8slink that looks owners up.
type linker struct {
	processor.Traces
	t    *testing.T
	sink *consumertest.TracesSink
}

func startLinker(t *testing.T, h component.Host) *linker {
	t.Helper()
	factory := k8slinkprocessor.NewFactory()
	config := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"lookup": map[string]any{"timeout": "30s"}}).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	l := &linker{t: t, sink: new(consumertest.TracesSink)}
	var err error
	l.Traces, err = factory.CreateTraces(t.Context(), processortest.NewNopSettings(factory.Type()), config, l.sink)
	require.NoError(t, err)
	require.NoError(t, l.Start(t.Context(), h))
	t.Cleanup(func() { assert.NoError(t, l.Shutdown(context.Background())) })
	return l
}

// place returns the trace into which a span on an object goes that tells nothing about it, as of level Metadata.
func (l *linker) place(o identity.Object, at time.Time) pcommon.TraceID {
	l.t.Helper()
	batch := objectspan.NewBatch(identity.DefaultWindow, "receiver", "")
	span := batch.Append(objectspan.Resource{Object: o}, attr.SpanTypeAudit, at, at)
	span.SetSpanID(pcommon.SpanID{1})
	l.sink.Reset()
	require.NoError(l.t, l.ConsumeTraces(l.t.Context(), batch.Traces()))
	return l.sink.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()
}

// links are the names of what the link spans of the last batch lead to, by role.
func (l *linker) links() map[string]string {
	found := map[string]string{}
	for _, td := range l.sink.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					attrs := span.Attributes()
					if direction, ok := attrs.Get(attr.LinkDirection); ok && direction.Str() == attr.LinkForward {
						role, _ := attrs.Get(attr.LinkRole)
						target, _ := attrs.Get(attr.LinkTargetName)
						found[role.Str()] = target.Str()
					}
				}
			}
		}
	}
	return found
}

// TestAPodOfAJobStaysUnderItsOwners: a CronJob's Job's Pod, when only look-ups can tell, when a watch of the same process
// can, and when all of them are gone. No span shows the Pod, so it is looked up as a whole too, for its link to the Node.
func TestAPodOfAJobStaysUnderItsOwners(t *testing.T) {
	c := testbed.ForTest(t, testbed.Options{})
	job, pod := runJob(t, c)
	object := func(group, resource, name string) identity.Object {
		return identity.Object{Cluster: "test", Group: group, Resource: resource, Namespace: "default", Name: name}
	}
	now := time.Now()
	want := identity.TraceID(object("batch", "cronjobs", "cron"), identity.DefaultWindow.Start(now))

	e := startExtension(t, asUser(c.Admin), nil).connected()
	looking := startLinker(t, e.host)
	assert.Equal(t, want, looking.place(object("", "pods", pod), now), "the API server tells")
	scheduled, err := c.Admin.Client.CoreV1().Pods("default").Get(t.Context(), pod, metav1.GetOptions{})
	require.NoError(t, err)
	links := map[string]string{"node": scheduled.Spec.NodeName}
	assert.Equal(t, links, looking.links())

	startWatch(t, e.host)
	pods := schema.GroupResource{Resource: "pods"}
	require.Eventually(t, func() bool {
		_, knowsPod := e.Known(pods, "default", pod)
		_, knowsJob := e.Known(schema.GroupResource{Group: "batch", Resource: "jobs"}, "default", job)
		return knowsPod && knowsJob
	}, patience, 10*time.Millisecond, "the watch offers what it knows")
	text, err := e.Object(t.Context(), pods, "default", pod)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"nodeName"`)
	beside := startLinker(t, e.host)
	assert.Equal(t, want, beside.place(object("", "pods", pod), now), "the watch tells")
	assert.Equal(t, links, beside.links())

	background := metav1.DeletePropagationBackground
	require.NoError(t, c.Admin.Client.BatchV1().CronJobs("default").Delete(t.Context(), "cron", metav1.DeleteOptions{PropagationPolicy: &background}))
	require.Eventually(t, func() bool {
		_, err := c.Admin.Client.CoreV1().Pods("default").Get(t.Context(), pod, metav1.GetOptions{})
		_, known := e.Known(pods, "default", pod)
		return apierrors.IsNotFound(err) && !known
	}, patience, 50*time.Millisecond, "the Pod is gone")
	assert.Equal(t, want, looking.place(object("", "pods", pod), now), "who knew it still does")

	assert.Equal(t, want, startLinker(t, e.host).place(object("", "pods", pod), now), "and the extension remembers for a while")
}

// runJob has a CronJob run once, as kubectl create job --from does, and returns the names of Job and Pod.
func runJob(t *testing.T, c *testbed.Cluster) (job, pod string) {
	t.Helper()
	template := batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "image"}},
	}}}
	suspend, controller := true, true
	cron, err := c.Admin.Client.BatchV1().CronJobs("default").Create(t.Context(), &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "cron"},
		Spec:       batchv1.CronJobSpec{Schedule: "0 0 1 1 *", Suspend: &suspend, JobTemplate: batchv1.JobTemplateSpec{Spec: template}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.Admin.Client.BatchV1().Jobs("default").Create(t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "job", OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "batch/v1", Kind: "CronJob", Name: cron.Name, UID: cron.UID, Controller: &controller},
		}},
		Spec: template,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		pods, err := c.Admin.Client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "job-name=job"})
		if err != nil || len(pods.Items) == 0 || pods.Items[0].Spec.NodeName == "" {
			return false
		}
		pod = pods.Items[0].Name
		return true
	}, patience, 50*time.Millisecond, "no Pod")
	return "job", pod
}

func startWatch(t *testing.T, h component.Host) {
	t.Helper()
	factory := watchreceiver.NewFactory()
	r, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), h))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
}
