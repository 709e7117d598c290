// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// RolloutOptions say whose Deployment is rolled out. The zero value is Alice's demo in the namespace demo.
type RolloutOptions struct {
	User            *User
	Namespace, Name string
	// Foreground deletes the Deployment after what it owns, in place of before.
	Foreground bool
}

// RolloutResult lists every object that was there, for a test to compare with what is displayed.
type RolloutResult struct {
	User, Namespace string
	Deployment      Object
	// ReplicaSets are those of the first and of the second image, in this order.
	ReplicaSets []Object
	Pods        []Object
	// Started is before the first request, Ended after the last object was gone.
	Started, Ended time.Time
}

// RolloutScenario takes a Deployment through its life: created with 2 replicas, scaled to 4, given another image, scaled to 2,
// deleted. Before each step it waits until the one before is complete, and at the end until nothing is left. The namespace is
// made if there is none, and stays. Several can run in one namespace at once, with different names.
func RolloutScenario(ctx context.Context, c *Cluster, opts RolloutOptions) (*RolloutResult, error) {
	if opts.User == nil {
		opts.User = c.Alice
	}
	if opts.Namespace == "" {
		opts.Namespace = "demo"
	}
	if opts.Name == "" {
		opts.Name = "demo"
	}
	r := &rollout{RolloutOptions: opts, started: time.Now()}
	if err := r.run(ctx, c); err != nil {
		return nil, fmt.Errorf("roll out %s/%s: %w", opts.Namespace, opts.Name, err)
	}
	return r.result(), nil
}

type rollout struct {
	RolloutOptions
	started time.Time
	seen    *observer
}

func (r *rollout) run(ctx context.Context, c *Cluster) error {
	found, err := exists(r.User.Client.CoreV1().Namespaces().Get(ctx, r.Namespace, metav1.GetOptions{}))
	if err != nil {
		return err
	}
	if !found {
		if err := c.CreateNamespace(ctx, r.User, r.Namespace); err != nil {
			return err
		}
	}
	r.seen = observe(ctx, r.User.Client, r.Namespace, "app="+r.Name)
	defer r.seen.stop()
	for _, step := range []struct {
		name     string
		act      func(context.Context) error
		complete func(*observer) bool
	}{
		{"create", r.create, r.complete(2, firstImage)},
		{"scale to 4", r.scale(4), r.complete(4, firstImage)},
		{"set the image", r.setImage, r.complete(4, secondImage)},
		{"scale to 2", r.scale(2), r.complete(2, secondImage)},
		{"delete", r.delete, (*observer).nothingLeft},
	} {
		if err := step.act(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		if err := r.seen.await(ctx, step.complete); err != nil {
			return fmt.Errorf("%s: wait for completion: %w", step.name, err)
		}
	}
	return nil
}

func (r *rollout) create(ctx context.Context) error {
	labels := map[string]string{"app": r.Name}
	_, err := r.User.Client.AppsV1().Deployments(r.Namespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: r.Name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec()},
		},
	}, metav1.CreateOptions{})
	return err
}

func (r *rollout) scale(replicas int32) func(context.Context) error {
	return func(ctx context.Context) error {
		// Without a resourceVersion: it is meant whatever else has changed.
		_, err := r.User.Client.AppsV1().Deployments(r.Namespace).UpdateScale(ctx, r.Name, &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: r.Name},
			Spec:       autoscalingv1.ScaleSpec{Replicas: replicas},
		}, metav1.UpdateOptions{})
		return err
	}
}

func (r *rollout) setImage(ctx context.Context) error {
	patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":%q}]}}}}`, secondImage)
	_, err := r.User.Client.AppsV1().Deployments(r.Namespace).
		Patch(ctx, r.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

func (r *rollout) delete(ctx context.Context) error {
	propagation := metav1.DeletePropagationBackground
	if r.Foreground {
		propagation = metav1.DeletePropagationForeground
	}
	return r.User.Client.AppsV1().Deployments(r.Namespace).Delete(ctx, r.Name, metav1.DeleteOptions{PropagationPolicy: &propagation})
}

// complete says that the Deployment has all its replicas, no other, and its controller has nothing more to do for it.
func (r *rollout) complete(replicas int32, image string) func(*observer) bool {
	return func(o *observer) bool {
		d := o.deployment(r.Name)
		return d != nil && d.Spec.Template.Spec.Containers[0].Image == image && *d.Spec.Replicas == replicas &&
			d.Status.ObservedGeneration >= d.Generation && d.Status.Replicas == replicas &&
			d.Status.UpdatedReplicas == replicas && d.Status.AvailableReplicas == replicas && o.pods() == int(replicas)
	}
}

func (r *rollout) result() *RolloutResult {
	return &RolloutResult{
		User:        r.User.Name,
		Namespace:   r.Namespace,
		Deployment:  r.seen.everOf("Deployment")[0],
		ReplicaSets: r.seen.everOf("ReplicaSet"),
		Pods:        r.seen.everOf("Pod"),
		Started:     r.started,
		Ended:       time.Now(),
	}
}
