// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func podTemplate(app string) (*metav1.LabelSelector, corev1.PodTemplateSpec) {
	labels := map[string]string{"app": app}
	return &metav1.LabelSelector{MatchLabels: labels}, corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec()}
}

// ScaleStatefulSet creates a StatefulSet of one Pod and scales it to two. It returns when both are ready.
func ScaleStatefulSet(ctx context.Context, u *User, namespace, name string) error {
	sets := u.Client.AppsV1().StatefulSets(namespace)
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(1)), ServiceName: name}}
	set.Spec.Selector, set.Spec.Template = podTemplate(name)
	if _, err := sets.Create(ctx, set, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create statefulset %s: %w", name, err)
	}
	for _, replicas := range []int32{1, 2} {
		if replicas > 1 {
			patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
			if _, err := sets.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
				return fmt.Errorf("scale statefulset %s: %w", name, err)
			}
		}
		err := awaitObject(ctx, u.Client.AppsV1().RESTClient(), "statefulsets", namespace, name, &appsv1.StatefulSet{}, func(s *appsv1.StatefulSet) bool {
			return s != nil && s.Status.ObservedGeneration >= s.Generation && s.Status.AvailableReplicas == replicas
		})
		if err != nil {
			return fmt.Errorf("wait for %d replicas of statefulset %s: %w", replicas, name, err)
		}
	}
	return nil
}

// UpdateDaemonSet creates a DaemonSet and gives it another image. It returns when every node has a ready Pod of that.
func UpdateDaemonSet(ctx context.Context, u *User, namespace, name string) error {
	sets := u.Client.AppsV1().DaemonSets(namespace)
	set := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: name}}
	set.Spec.Selector, set.Spec.Template = podTemplate(name)
	if _, err := sets.Create(ctx, set, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create daemonset %s: %w", name, err)
	}
	complete := func(generation int64) error {
		err := awaitObject(ctx, u.Client.AppsV1().RESTClient(), "daemonsets", namespace, name, &appsv1.DaemonSet{}, func(s *appsv1.DaemonSet) bool {
			return s != nil && s.Status.ObservedGeneration >= generation && s.Status.DesiredNumberScheduled > 0 &&
				s.Status.UpdatedNumberScheduled == s.Status.DesiredNumberScheduled && s.Status.NumberAvailable == s.Status.DesiredNumberScheduled
		})
		if err != nil {
			return fmt.Errorf("wait for daemonset %s: %w", name, err)
		}
		return nil
	}
	if err := complete(1); err != nil {
		return err
	}
	patch := fmt.Appendf(nil, `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":%q}]}}}}`, secondImage)
	if _, err := sets.Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("update daemonset %s: %w", name, err)
	}
	return complete(2)
}

// RunCronJob creates a CronJob that runs once a year and says that it last did two years ago, so that its controller runs it at once,
// and once. It returns the Job and its Pod when the Job is complete.
func RunCronJob(ctx context.Context, u *User, namespace, name string) (job, pod Object, err error) {
	spec := podSpec()
	spec.RestartPolicy = corev1.RestartPolicyNever
	crons := u.Client.BatchV1().CronJobs(namespace)
	created, err := crons.Create(ctx, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: batchv1.CronJobSpec{
			Schedule:    "0 0 1 1 *",
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: spec}}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return job, pod, fmt.Errorf("create cronjob %s: %w", name, err)
	}
	patch := fmt.Appendf(nil, `{"status":{"lastScheduleTime":%q}}`, time.Now().AddDate(-2, 0, 0).UTC().Format(time.RFC3339))
	if _, err := crons.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		return job, pod, fmt.Errorf("make cronjob %s due: %w", name, err)
	}
	err = poll(ctx, func(ctx context.Context) (bool, error) {
		jobs, err := u.Client.BatchV1().Jobs(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		for i := range jobs.Items {
			if j := &jobs.Items[i]; metav1.IsControlledBy(j, created) && slices.ContainsFunc(j.Status.Conditions, completed) {
				job = seen(j)
			}
		}
		return job.Name != "", nil
	})
	if err != nil {
		return job, pod, fmt.Errorf("wait for the job of cronjob %s: %w", name, err)
	}
	pods, err := u.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "job-name=" + job.Name})
	if err == nil && len(pods.Items) != 1 {
		err = fmt.Errorf("it has %d pods", len(pods.Items))
	}
	if err != nil {
		return job, pod, fmt.Errorf("find the pod of job %s: %w", job.Name, err)
	}
	return job, seen(&pods.Items[0]), nil
}

// Autoscale creates a Deployment of one Pod, and a HorizontalPodAutoscaler by the same name that wants two at least. It returns when there are two.
func Autoscale(ctx context.Context, u *User, namespace, name string) error {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(1))}}
	deployment.Spec.Selector, deployment.Spec.Template = podTemplate(name)
	if _, err := u.Client.AppsV1().Deployments(namespace).Create(ctx, deployment, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create deployment %s: %w", name, err)
	}
	available := func(replicas int32) error {
		err := awaitObject(ctx, u.Client.AppsV1().RESTClient(), "deployments", namespace, name, &appsv1.Deployment{}, func(d *appsv1.Deployment) bool {
			return d != nil && d.Status.ObservedGeneration >= d.Generation && d.Status.AvailableReplicas == replicas
		})
		if err != nil {
			return fmt.Errorf("wait for %d replicas of deployment %s: %w", replicas, name, err)
		}
		return nil
	}
	if err := available(1); err != nil {
		return err
	}
	_, err := u.Client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
			MinReplicas:    new(int32(2)), MaxReplicas: 3,
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create autoscaler %s: %w", name, err)
	}
	return available(2)
}
