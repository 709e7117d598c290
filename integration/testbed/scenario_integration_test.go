// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package testbed_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

const controllers = "system:serviceaccount:kube-system:"

func TestRolloutIsAudited(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, foreground := range []bool{false, true} {
		namespace := fmt.Sprintf("rollout-%v", foreground)
		result, err := testbed.RolloutScenario(ctx, cluster, testbed.RolloutOptions{Namespace: namespace, Foreground: foreground})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("foreground %v: %d pods in %s", foreground, len(result.Pods), result.Ended.Sub(result.Started))
		if len(result.ReplicaSets) != 2 || len(result.Pods) < 8 {
			t.Errorf("scenario saw %+v", result)
		}
		for _, rs := range result.ReplicaSets {
			if rs.Owner != result.Deployment.UID {
				t.Errorf("ReplicaSet %+v is not owned by %+v", rs, result.Deployment)
			}
		}
		for _, row := range []struct {
			user, verb, resource, subresource string
			least                             int
		}{
			{"alice", "create", "deployments", "", 1},
			{"alice", "update", "deployments", "scale", 2},
			{"alice", "patch", "deployments", "", 1},
			{"alice", "delete", "deployments", "", 1},
			{controllers + "deployment-controller", "create", "replicasets", "", 2},
			{controllers + "deployment-controller", "update", "deployments", "status", 5},
			{controllers + "replicaset-controller", "create", "pods", "", len(result.Pods)},
			{"system:kube-scheduler", "create", "pods", "binding", len(result.Pods)},
			{"kwok", "patch", "pods", "status", len(result.Pods)},
			{"kwok", "delete", "pods", "", len(result.Pods)},
			{controllers + "generic-garbage-collector", "delete", "replicasets", "", 2},
		} {
			if _, err := sink.Await(ctx, nth(row.least, inNamespace(namespace, event(row.user, row.verb, row.resource, row.subresource, "")))); err != nil {
				t.Errorf("%s %s %s %s, %d times: %v", row.user, row.verb, row.resource, row.subresource, row.least, err)
			}
		}
	}
}

func TestActionsAreAuditedAsDescribed(t *testing.T) {
	const ns = "actions"
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := cluster.CreateNamespace(ctx, cluster.Alice, ns); err != nil {
		t.Fatal(err)
	}
	bob := cluster.Bob
	created := func(name string) {
		t.Helper()
		if e := await(ctx, t, inNamespace(ns, event("bob", "create", "configmaps", "", name))); e.ResponseStatus.Code != http.StatusCreated {
			t.Errorf("creation of %s: %+v", name, e.ResponseStatus)
		}
	}

	t.Run("stale update", func(t *testing.T) {
		must(t, testbed.UpdateStale(ctx, bob, ns, "stale"))
		e := await(ctx, t, func(e testbed.AuditEvent) bool {
			return event("bob", "update", "configmaps", "", "stale")(e) && e.ResponseStatus.Code == http.StatusConflict
		})
		if e.ResponseStatus.Reason != "Conflict" {
			t.Errorf("status is %+v", e.ResponseStatus)
		}
	})
	t.Run("no rights", func(t *testing.T) {
		must(t, testbed.DoForbidden(ctx, cluster.Mallory, ns, "forbidden"))
		for _, verb := range []string{"create", "delete"} {
			if e := await(ctx, t, event("mallory", verb, "configmaps", "", "")); e.ResponseStatus.Code != http.StatusForbidden {
				t.Errorf("%s: %+v", verb, e.ResponseStatus)
			}
		}
	})
	t.Run("invalid", func(t *testing.T) {
		must(t, testbed.CreateInvalid(ctx, bob, ns))
		await(ctx, t, func(e testbed.AuditEvent) bool { return e.ResponseStatus.Code == http.StatusUnprocessableEntity })
	})
	t.Run("generateName", func(t *testing.T) {
		o, err := testbed.CreateGenerateName(ctx, bob, ns, "generated-")
		must(t, err)
		e := await(ctx, t, func(e testbed.AuditEvent) bool {
			return e.Verb == "create" && bytes.Contains(e.ResponseObject, []byte(o.UID))
		})
		if e.ObjectRef.Name != "" || !strings.HasPrefix(o.Name, "generated-") {
			t.Errorf("%s was audited as %+v", o.Name, e.ObjectRef)
		}
	})
	t.Run("no-op", func(t *testing.T) {
		must(t, testbed.UpdateNothing(ctx, bob, ns, "same"))
		await(ctx, t, inNamespace(ns, event("bob", "update", "configmaps", "", "same")))
	})
	t.Run("dry run", func(t *testing.T) {
		must(t, testbed.CreateDryRun(ctx, bob, ns, "dry"))
		await(ctx, t, func(e testbed.AuditEvent) bool { return strings.Contains(e.RequestURI, "dryRun=All") })
	})
	t.Run("collections", func(t *testing.T) {
		maps, err := testbed.DeleteConfigMaps(ctx, bob, ns, "bundle", 3)
		must(t, err)
		pods, err := testbed.DeletePods(ctx, bob, ns, "flock", 3)
		must(t, err)
		for resource, objects := range map[string][]testbed.Object{"configmaps": maps, "pods": pods} {
			e := await(ctx, t, inNamespace(ns, event("bob", "deletecollection", resource, "", "")))
			for _, o := range objects {
				if !bytes.Contains(e.ResponseObject, []byte(o.UID)) {
					t.Errorf("the deletion of %s does not list %+v", resource, o)
				}
			}
		}
	})
	t.Run("recreate", func(t *testing.T) {
		first, second, err := testbed.Recreate(ctx, bob, ns, "phoenix")
		must(t, err)
		if first.UID == second.UID || first.Name != second.Name {
			t.Errorf("lives are %+v and %+v", first, second)
		}
		created("phoenix")
	})
	t.Run("impersonation", func(t *testing.T) {
		must(t, testbed.CreateImpersonating(ctx, cluster.Admin, "carol", ns, "masked"))
		e := await(ctx, t, event("admin", "create", "configmaps", "", "masked"))
		if e.ImpersonatedUser == nil || e.ImpersonatedUser.Username != "carol" {
			t.Errorf("impersonated user is %+v", e.ImpersonatedUser)
		}
	})
	t.Run("patches", func(t *testing.T) {
		must(t, testbed.PatchInEveryWay(ctx, bob, ns, "quilt"))
		await(ctx, t, inNamespace(ns, event("bob", "patch", "configmaps", "", "quilt-applied")))
		await(ctx, t, nth(4, inNamespace(ns, event("bob", "patch", "configmaps", "", "quilt"))))
	})
	t.Run("secrets", func(t *testing.T) {
		values, err := testbed.HandleSecret(ctx, bob, ns, "vault", "marker-secret")
		must(t, err)
		release, err := testbed.InstallHelmRelease(ctx, bob, ns, "wordpress", "marker-helm")
		must(t, err)
		token, err := testbed.RequestToken(ctx, bob, ns)
		must(t, err)
		must(t, testbed.ReviewToken(ctx, bob, token))
		// kube-apiserver logs all of it: that is what the product must not hand on.
		missing := slices.Concat(values, []string{release[1], token})
		_, err = sink.Await(ctx, func(e testbed.AuditEvent) bool {
			missing = slices.DeleteFunc(missing, func(value string) bool { return contains(e, value) })
			return len(missing) == 0
		})
		if err != nil {
			t.Errorf("in no event: %.40q: %v", missing, err)
		}
	})
	t.Run("pods", func(t *testing.T) {
		_, err := testbed.CreatePod(ctx, bob, ns, "shell")
		must(t, err)
		for protocol, verb := range map[testbed.ExecProtocol]string{testbed.ExecSPDY: "create", testbed.ExecWebSocket: "get"} {
			status, err := testbed.ExecInPod(ctx, bob, ns, "shell", protocol, "cat", "/etc/hostname")
			must(t, err)
			e := await(ctx, t, event("bob", verb, "pods", "exec", "shell"))
			if status != e.ResponseStatus.Code || status != http.StatusSwitchingProtocols {
				t.Errorf("exec over %s: answer %d, event %+v", protocol, status, e.ResponseStatus)
			}
		}
		must(t, testbed.EvictPod(ctx, bob, ns, "shell"))
		await(ctx, t, event("bob", "create", "pods", "eviction", "shell"))
		_, err = testbed.BindPod(ctx, bob, ns, "bound")
		must(t, err)
		await(ctx, t, event("bob", "create", "pods", "binding", "bound"))
	})
	t.Run("job", func(t *testing.T) {
		job, pod, err := testbed.RunJob(ctx, bob, ns, "once")
		must(t, err)
		if pod.Owner != job.UID {
			t.Errorf("pod %+v is not owned by %+v", pod, job)
		}
		await(ctx, t, event("bob", "delete", "jobs", "", "once"))
	})
}

func inNamespace(namespace string, match func(testbed.AuditEvent) bool) func(testbed.AuditEvent) bool {
	return func(e testbed.AuditEvent) bool { return e.ObjectRef.Namespace == namespace && match(e) }
}

// nth matches the n-th event that matches.
func nth(n int, match func(testbed.AuditEvent) bool) func(testbed.AuditEvent) bool {
	return func(e testbed.AuditEvent) bool {
		if match(e) {
			n--
		}
		return n <= 0
	}
}

// contains says whether a body of the event holds a secret value in any form.
func contains(e testbed.AuditEvent, value string) bool {
	return slices.ContainsFunc(testbed.Needles(value), func(needle string) bool {
		return bytes.Contains(e.RequestObject, []byte(needle)) || bytes.Contains(e.ResponseObject, []byte(needle))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
