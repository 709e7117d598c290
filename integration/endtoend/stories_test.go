// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"context"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// story is something that happens in a namespace of its own, and what is then told of it.
type story struct {
	name  string
	act   func(ctx context.Context, c *testbed.Cluster, ns string) error
	tales []tale
}

// tale is what the trace of one root tells. Namespaces are those of the story; in names, NS stands for it.
type tale struct {
	root identity.Object
	// tree counts the objects in it by their resource and those of their owners, nearest first; -1 is any number but none.
	tree map[string]int
	told []saying
}

// saying is a span that the trace must have, exactly once.
type saying struct {
	// object is a pattern.
	object, source, name string
	// by is a field manager of a watch span.
	by string
	// diff has all changes of an update or, if it is one of many things that changed, some.
	diff map[string]string
	some bool
	// often is set if there may be more of them.
	often bool
}

func asked(object, name string) saying {
	return saying{object: object, source: attr.SpanTypeAudit, name: name}
}

func said(object, reason string) saying {
	return saying{object: object, source: attr.SpanTypeEvent, name: reason}
}

func created(object, by string) saying {
	return saying{object: object, source: attr.SpanTypeWatch, name: "created", by: by}
}

func deleted(object string) saying {
	return saying{object: object, source: attr.SpanTypeWatch, name: "deleted"}
}

// changed takes paths and their changes, in turn.
func changed(object, by string, diff ...string) saying {
	s := saying{object: object, source: attr.SpanTypeWatch, name: "updated", by: by, diff: map[string]string{}}
	for i := 0; i < len(diff); i += 2 {
		s.diff[diff[i]] = diff[i+1]
	}
	return s
}

func (s saying) amongOthers() saying { s.some = true; return s }
func (s saying) orMore() saying      { s.often = true; return s }

// Who acts. The test bed's users share a field manager, which clients name after the program.
const (
	alice       = "kelemetry-testbed"
	controllers = "kube-controller-manager"
	kubelet     = "kwok"
	// nobody is for what the API server does by itself, such as to mark an object as one that is to be deleted: the object does
	// not say for whom.
	nobody  = "nobody"
	account = "system:serviceaccount:kube-system:"
)

func object(group, resource, name string) identity.Object {
	return identity.Object{Group: group, Resource: resource, Name: name}
}

var stories = []story{{
	name: "roll-out",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		_, err := testbed.RolloutScenario(ctx, c, testbed.RolloutOptions{Namespace: ns})
		return err
	},
	tales: []tale{{
		root: object("apps", "deployments", "demo"),
		tree: map[string]int{"deployments": 1, "replicasets < deployments": 2, "pods < replicasets < deployments": -1},
		told: []saying{
			asked("deployments/demo", "alice create"), asked("deployments/demo", "alice update scale").orMore(),
			asked("deployments/demo", "alice patch"), asked("deployments/demo", "alice delete"),
			asked("deployments/demo", account+"deployment-controller update status").orMore(),
			said("deployments/demo", "ScalingReplicaSet").orMore(), said("replicasets/demo-*", "SuccessfulCreate").orMore(),
			created("deployments/demo", alice), deleted("deployments/demo"),
			changed("deployments/demo", alice, "spec.replicas", "2 -> 4"), changed("deployments/demo", alice, "spec.replicas", "4 -> 2"),
			changed("deployments/demo", alice, "spec.template.spec.containers[name=app].image", `"example.com/app:1.0" -> "example.com/app:2.0"`),
			changed("deployments/demo", controllers, "status.observedGeneration", "1 -> 2").amongOthers(),
			changed("deployments/demo", controllers, "status.observedGeneration", "2 -> 3").amongOthers(),
			changed("deployments/demo", controllers, "status.observedGeneration", "3 -> 4").amongOthers(),
		},
	}},
}, {
	name: "statefulset",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.ScaleStatefulSet(ctx, c.Alice, ns, "web")
	},
	tales: []tale{{
		root: object("apps", "statefulsets", "web"),
		tree: map[string]int{"statefulsets": 1, "controllerrevisions < statefulsets": 1, "pods < statefulsets": 2},
		told: []saying{
			asked("statefulsets/web", "alice create"), asked("statefulsets/web", "alice patch"),
			asked("pods/web-1", account+"statefulset-controller create"),
			said("statefulsets/web", "SuccessfulCreate").orMore(), said("pods/web-1", "Scheduled"),
			created("statefulsets/web", alice), created("pods/web-0", controllers), created("pods/web-1", controllers),
			changed("statefulsets/web", alice, "spec.replicas", "1 -> 2"),
			changed("statefulsets/web", controllers, "status.observedGeneration", "1 -> 2").amongOthers(),
			changed("pods/web-1", kubelet, "status.phase", `"Pending" -> "Running"`).amongOthers(),
		},
	}},
}, {
	name: "daemonset",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.UpdateDaemonSet(ctx, c.Alice, ns, "agent")
	},
	tales: []tale{{
		root: object("apps", "daemonsets", "agent"),
		tree: map[string]int{"daemonsets": 1, "controllerrevisions < daemonsets": 2, "pods < daemonsets": 4},
		told: []saying{
			asked("daemonsets/agent", "alice create"), asked("daemonsets/agent", "alice patch"),
			said("daemonsets/agent", "SuccessfulCreate").orMore(), said("daemonsets/agent", "SuccessfulDelete").orMore(),
			created("daemonsets/agent", alice),
			changed("daemonsets/agent", alice,
				`metadata.annotations["deprecated.daemonset.template.generation"]`, `"1" -> "2"`,
				"spec.template.spec.containers[name=app].image", `"example.com/app:1.0" -> "example.com/app:2.0"`),
			changed("daemonsets/agent", controllers, "status.observedGeneration", "1 -> 2").amongOthers(),
		},
	}},
}, {
	name: "cronjob",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		_, _, err := testbed.RunCronJob(ctx, c.Alice, ns, "nightly")
		return err
	},
	tales: []tale{{
		root: object("batch", "cronjobs", "nightly"),
		tree: map[string]int{"cronjobs": 1, "jobs < cronjobs": 1, "pods < jobs < cronjobs": 1},
		told: []saying{
			asked("cronjobs/nightly", "alice create"), asked("cronjobs/nightly", "alice patch status"),
			asked("jobs/nightly-*", account+"cronjob-controller create"), asked("pods/nightly-*", account+"job-controller create"),
			said("cronjobs/nightly", "SuccessfulCreate"), said("jobs/nightly-*", "SuccessfulCreate"), said("jobs/nightly-*", "Completed"),
			said("pods/nightly-*", "Scheduled"),
			created("cronjobs/nightly", alice), created("jobs/nightly-*", controllers), created("pods/nightly-*", controllers),
			changed("pods/nightly-*", kubelet, "status.phase", `"Running" -> "Succeeded"`).amongOthers(),
			changed("jobs/nightly-*", controllers, "status.succeeded", "null -> 1").amongOthers(),
		},
	}},
}, {
	name: "autoscaler",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.Autoscale(ctx, c.Alice, ns, "shop")
	},
	tales: []tale{{
		root: object("autoscaling", "horizontalpodautoscalers", "shop"),
		tree: map[string]int{"horizontalpodautoscalers": 1},
		told: []saying{
			asked("horizontalpodautoscalers/shop", "alice create"),
			asked("horizontalpodautoscalers/shop", account+"horizontal-pod-autoscaler update status").orMore(),
			said("horizontalpodautoscalers/shop", "SuccessfulRescale"),
			created("horizontalpodautoscalers/shop", alice),
			changed("horizontalpodautoscalers/shop", controllers, "status.desiredReplicas", "0 -> 2").amongOthers(),
		},
	}, {
		root: object("apps", "deployments", "shop"),
		tree: map[string]int{"deployments": 1, "replicasets < deployments": 1, "pods < replicasets < deployments": 2},
		told: []saying{
			asked("deployments/shop", account+"horizontal-pod-autoscaler update scale"),
			changed("deployments/shop", controllers, "spec.replicas", "1 -> 2"),
			changed("deployments/shop", controllers, "status.observedGeneration", "1 -> 2").amongOthers(),
		},
	}},
}, {
	name: "claim",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		_, err := testbed.BindClaim(ctx, c.Alice, ns, "data")
		return err
	},
	tales: []tale{{
		root: object("", "persistentvolumeclaims", "data"),
		tree: map[string]int{"persistentvolumeclaims": 1},
		told: []saying{
			asked("persistentvolumeclaims/data", "alice create"),
			asked("persistentvolumeclaims/data", account+"persistent-volume-binder update"),
			said("persistentvolumeclaims/data", "ProvisioningFailed").orMore(),
			created("persistentvolumeclaims/data", alice),
			changed("persistentvolumeclaims/data", controllers, "spec.volumeName", `null -> "NS-data"`).amongOthers(),
			changed("persistentvolumeclaims/data", controllers, "status.phase", `"Pending" -> "Bound"`).amongOthers(),
		},
	}, {
		root: object("", "persistentvolumes", "NS-data"),
		tree: map[string]int{"persistentvolumes": 1},
		told: []saying{
			asked("persistentvolumes/NS-data", "alice create"), created("persistentvolumes/NS-data", alice),
			changed("persistentvolumes/NS-data", controllers, "status.phase", `"Available" -> "Bound"`).amongOthers(),
		},
	}},
}, {
	name: "configmap",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.EditConfigMap(ctx, c.Alice, ns, "settings")
	},
	tales: []tale{{
		root: object("", "configmaps", "settings"),
		tree: map[string]int{"configmaps": 1},
		told: []saying{
			asked("configmaps/settings", "alice create"), asked("configmaps/settings", "alice patch").orMore(), asked("configmaps/settings", "alice delete"),
			created("configmaps/settings", alice), deleted("configmaps/settings"),
			changed("configmaps/settings", alice, "metadata.labels.tier", `"test" -> "prod"`),
			changed("configmaps/settings", alice, "data.b", `null -> "<redacted>"`),
		},
	}},
}, {
	name: "secret",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		_, err := testbed.HandleSecret(ctx, c.Alice, ns, "key", "hunter2")
		return err
	},
	tales: []tale{{
		root: object("", "secrets", "key"),
		tree: map[string]int{"secrets": 1},
		told: []saying{
			asked("secrets/key", "alice create"), asked("secrets/key", "alice update"), asked("secrets/key", "alice delete"),
			created("secrets/key", alice), deleted("secrets/key"),
			changed("secrets/key", alice, "data.password", `"<redacted>" -> "<redacted>"`).orMore(),
		},
	}},
}, {
	name: "custom",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.RunShop(ctx, c.Alice, ns, "corner")
	},
	tales: []tale{{
		root: object(testbed.Shops.Group, testbed.Shops.Resource, "corner"),
		tree: map[string]int{"shops": 1, "shops < shops": 1, "configmaps < shops < shops": 1},
		told: []saying{
			asked("shops/corner", "alice create"), asked("shops/corner", "alice patch"), asked("shops/corner", "alice patch status"),
			asked("shops/corner", "alice delete"), asked("shops/corner-branch", account+"generic-garbage-collector delete"),
			said("shops/corner", "Opened"),
			created("shops/corner", alice), created("shops/corner-branch", alice), created("configmaps/corner-stock", alice),
			changed("shops/corner", alice, "spec.size", "1 -> 2"), changed("shops/corner", alice, "status", `null -> {"open":true}`),
			deleted("shops/corner"), deleted("shops/corner-branch"), deleted("configmaps/corner-stock"),
		},
	}},
}, {
	name: "namespace",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.DeleteNamespaceWith(ctx, c.Alice, ns, "inside")
	},
	tales: []tale{{
		root: object("", "namespaces", "NS"),
		tree: map[string]int{"namespaces": 1},
		told: []saying{
			asked("namespaces/NS", "alice create"), asked("namespaces/NS", "alice delete"),
			asked("namespaces/NS", account+"namespace-controller update finalize"),
			created("namespaces/NS", alice), deleted("namespaces/NS"),
			changed("namespaces/NS", nobody, "status.phase", `"Active" -> "Terminating"`).amongOthers(),
		},
	}, {
		root: object("", "configmaps", "inside"),
		tree: map[string]int{"configmaps": 1},
		told: []saying{
			asked("configmaps/inside", account+"namespace-controller deletecollection"), created("configmaps/inside", alice), deleted("configmaps/inside"),
		},
	}},
}, {
	name: "finalizer",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.HoldByFinalizer(ctx, c.Alice, c.Bob, ns, "held", "example.com/hold")
	},
	tales: []tale{{
		root: object("", "configmaps", "held"),
		tree: map[string]int{"configmaps": 1},
		told: []saying{
			asked("configmaps/held", "alice create"), asked("configmaps/held", "alice delete"), asked("configmaps/held", "bob patch"),
			created("configmaps/held", alice), deleted("configmaps/held"),
			changed("configmaps/held", nobody, "metadata.deletionGracePeriodSeconds", "null -> 0").amongOthers(),
		},
	}},
}, {
	name: "eviction",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		if _, err := testbed.CreatePod(ctx, c.Alice, ns, "guest"); err != nil {
			return err
		}
		return testbed.EvictPod(ctx, c.Alice, ns, "guest")
	},
	tales: []tale{{
		root: object("", "pods", "guest"),
		tree: map[string]int{"pods": 1},
		told: []saying{
			asked("pods/guest", "alice create"), asked("pods/guest", "system:kube-scheduler create binding"), asked("pods/guest", "alice create eviction"),
			said("pods/guest", "Scheduled"),
			created("pods/guest", alice), deleted("pods/guest"),
			changed("pods/guest", nobody, "metadata.deletionGracePeriodSeconds", "null -> 2").amongOthers(),
			changed("pods/guest", kubelet, "status.phase", `"Pending" -> "Running"`).amongOthers(),
		},
	}},
}, {
	name: "rejected",
	act: func(ctx context.Context, c *testbed.Cluster, ns string) error {
		return testbed.UpdateStale(ctx, c.Alice, ns, "stale")
	},
	tales: []tale{{
		root: object("", "configmaps", "stale"),
		tree: map[string]int{"configmaps": 1},
		told: []saying{
			asked("configmaps/stale", "alice create"), asked("configmaps/stale", "alice update"), asked("configmaps/stale", "alice update (Conflict)"),
			created("configmaps/stale", alice),
			{object: "configmaps/stale", source: attr.SpanTypeWatch, name: "updated", by: alice}, // one: what was refused changed nothing
		},
	}},
}}
