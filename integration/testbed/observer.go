// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// observer watches the Deployments, ReplicaSets and Pods of a namespace that have one label, and remembers those that are gone.
type observer struct {
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	now     map[string]map[string]metav1.Object // by kind and name
	ever    map[string][]Object                 // by kind, in the order of appearance
	changed chan struct{}                       // closed and replaced with each change
}

func observe(ctx context.Context, client kubernetes.Interface, namespace, label string) *observer {
	ctx, cancel := context.WithCancel(ctx)
	o := &observer{
		cancel:  cancel,
		now:     make(map[string]map[string]metav1.Object),
		ever:    make(map[string][]Object),
		changed: make(chan struct{}),
	}
	apps, core := client.AppsV1().RESTClient(), client.CoreV1().RESTClient()
	labeled := func(client rest.Interface, resource string) *cache.ListWatch {
		return cache.NewFilteredListWatchFromClient(client, resource, namespace, func(o *metav1.ListOptions) { o.LabelSelector = label })
	}
	o.watch(ctx, "Deployment", labeled(apps, "deployments"), &appsv1.Deployment{})
	o.watch(ctx, "ReplicaSet", labeled(apps, "replicasets"), &appsv1.ReplicaSet{})
	o.watch(ctx, "Pod", labeled(core, "pods"), &corev1.Pod{})
	return o
}

func (o *observer) watch(ctx context.Context, kind string, lw *cache.ListWatch, of runtime.Object) {
	o.now[kind] = make(map[string]metav1.Object)
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: lw,
		ObjectType:    of,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { o.set(kind, obj.(metav1.Object)) },
			UpdateFunc: func(_, obj any) { o.set(kind, obj.(metav1.Object)) },
			DeleteFunc: func(obj any) { o.unset(kind, obj) },
		},
	})
	o.running.Go(func() { informer.RunWithContext(ctx) })
}

// stop ends the watches and waits for them.
func (o *observer) stop() {
	o.cancel()
	o.running.Wait()
}

func (o *observer) set(kind string, obj metav1.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if before := o.now[kind][obj.GetName()]; before == nil || before.GetUID() != obj.GetUID() {
		o.ever[kind] = append(o.ever[kind], seen(obj))
	}
	o.now[kind][obj.GetName()] = obj
	o.notify()
}

func (o *observer) unset(kind string, obj any) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if gone, ok := obj.(metav1.Object); ok {
		delete(o.now[kind], gone.GetName())
	}
	o.notify()
}

func (o *observer) notify() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// await returns when the condition holds. The condition is called with the lock held.
func (o *observer) await(ctx context.Context, condition func(*observer) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, waitLimit, errWaitLimit)
	defer cancel()
	for {
		o.mu.Lock()
		ok, changed := condition(o), o.changed
		o.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, with %s", context.Cause(ctx), o.describe())
		case <-changed:
		}
	}
}

// describe says what there is, for the message of a failure.
func (o *observer) describe() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var parts []string
	for kind, objects := range o.now {
		for name, obj := range objects {
			parts = append(parts, kind+" "+name)
			switch obj := obj.(type) {
			case *appsv1.Deployment:
				parts = append(parts, fmt.Sprintf("(generation %d, status %+v)", obj.Generation, obj.Status))
			case *corev1.Pod:
				parts = append(parts, fmt.Sprintf("(%s)", obj.Status.Phase))
			}
		}
	}
	return strings.Join(parts, " ")
}

func (o *observer) deployment(name string) *appsv1.Deployment {
	d, _ := o.now["Deployment"][name].(*appsv1.Deployment)
	return d
}

func (o *observer) pods() int { return len(o.now["Pod"]) }

func (o *observer) nothingLeft() bool {
	return len(o.now["Deployment"])+len(o.now["ReplicaSet"])+len(o.now["Pod"]) == 0
}

// everOf returns all objects of the kind that there ever were. It is for use after stop.
func (o *observer) everOf(kind string) []Object { return o.ever[kind] }
