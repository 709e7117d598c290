// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package storagetest // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/storagetest"

import (
	"fmt"
	"time"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// World is a Deployment with a ReplicaSet and Pods, made in one window and scaled in the next, its node, and a namesake in another cluster.
type World struct {
	Store
	// Start is when the first thing happens.
	Start time.Time

	Deployment, ReplicaSet, Node, Namesake *Object
	Pods                                   []*Object
}

// NewWorld makes the world, with so many Pods.
func NewWorld(pods int) *World {
	w := &World{Start: time.Date(2026, 3, 4, 12, 20, 0, 0, time.UTC)}
	object := func(cluster, group, resource, namespace, name, uid string, owner *Object) *Object {
		return &Object{Object: identity.Object{Cluster: cluster, Group: group, Resource: resource, Namespace: namespace, Name: name}, UID: uid, Owner: owner}
	}
	w.Deployment = object("prod", "apps", "deployments", "default", "hello", "d-1", nil)
	w.ReplicaSet = object("prod", "apps", "replicasets", "default", "hello-1", "r-1", w.Deployment)
	w.Node = object("prod", "", "nodes", "", "n1", "n-1", nil)
	w.Namesake = object("stage", "apps", "deployments", "default", "hello", "d-2", nil)

	second := func(n int) time.Time { return w.Start.Add(time.Duration(n) * time.Second) }
	w.Happen(second(0), w.Deployment, attr.SpanTypeAudit, "alice create", map[string]any{
		attr.UserName: "alice", attr.AuditVerb: "create", "http.response.status_code": 201,
	})
	w.Happen(second(1), w.ReplicaSet, attr.SpanTypeAudit, "deployment-controller create", map[string]any{
		attr.UserName: "deployment-controller", attr.AuditVerb: "create", "http.response.status_code": 201,
	})
	for i := range pods {
		pod := object("prod", "", "pods", "default", fmt.Sprintf("hello-1-%d", i), fmt.Sprintf("p-%d", i), w.ReplicaSet)
		w.Pods = append(w.Pods, pod)
		w.Happen(second(2+i), pod, attr.SpanTypeEvent, "Scheduled", map[string]any{"k8s.event.reason": "Scheduled"})
	}
	if pods > 0 {
		w.Refer(second(2), w.Pods[0], "node", w.Node)
	}
	w.Happen(second(5), w.Node, attr.SpanTypeWatch, "updated", nil)
	w.Happen(second(1000), w.Deployment, attr.SpanTypeAudit, "bob patch", map[string]any{
		attr.UserName: "bob", attr.AuditVerb: "patch", "http.response.status_code": 200,
	})
	w.Happen(second(10), w.Namesake, attr.SpanTypeAudit, "carol create", map[string]any{
		attr.UserName: "carol", attr.AuditVerb: "create", "http.response.status_code": 409,
	})
	return w
}
