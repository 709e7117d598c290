// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// auditEvent makes the event of a status update of a ReplicaSet at level RequestResponse, about 3.8 KB as such events
// are on average. The types of Kubernetes write its bodies, so they look as the API server's do.
func auditEvent(tb testing.TB) []byte {
	tb.Helper()
	body, err := json.Marshal(replicaSet())
	if err != nil {
		tb.Fatal(err)
	}
	event := fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse",`+
		`"auditID":"6d0b8b7c-3f1c-4a89-9c39-6f4f2ab1f6f0","stage":"ResponseComplete",`+
		`"requestURI":"/apis/apps/v1/namespaces/default/replicasets/demo-78bb56d9c4/status","verb":"update",`+
		`"user":{"username":"system:serviceaccount:kube-system:replicaset-controller",`+
		`"uid":"7d1c7d6e-53a5-43a9-8a0f-1d4f2c0d1b11","groups":["system:serviceaccounts","system:serviceaccounts:kube-system",`+
		`"system:authenticated"]},"sourceIPs":["127.0.0.1"],`+
		`"userAgent":"kube-controller-manager/v1.37.2 (linux/amd64) kubernetes/4a3ac37/system:serviceaccount:kube-system:replicaset-controller",`+
		`"objectRef":{"resource":"replicasets","namespace":"default","name":"demo-78bb56d9c4",`+
		`"uid":"e1b7c5f8-4a9c-4ac6-8d1f-f7f8f8a6c111","apiGroup":"apps","apiVersion":"v1","resourceVersion":"358","subresource":"status"},`+
		`"responseStatus":{"metadata":{},"code":200},"requestObject":%s,"responseObject":%[1]s,`+
		`"requestReceivedTimestamp":"2025-11-23T18:22:01.123456Z","stageTimestamp":"2025-11-23T18:22:01.129001Z",`+
		`"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding `+
		`\"system:controller:replicaset-controller\" of ClusterRole \"system:controller:replicaset-controller\" to ServiceAccount `+
		`\"replicaset-controller/kube-system\""}}`, body)
	return []byte(event)
}

func replicaSet() *appsv1.ReplicaSet {
	labels := map[string]string{"app": "demo", "pod-template-hash": "78bb56d9c4"}
	replicas, yes := int32(4), true
	at := metav1.NewTime(time.Date(2025, 11, 23, 18, 22, 1, 0, time.UTC))
	return &appsv1.ReplicaSet{
		TypeMeta: metav1.TypeMeta{Kind: "ReplicaSet", APIVersion: "apps/v1"},
		ObjectMeta: metav1.ObjectMeta{
			Name: "demo-78bb56d9c4", Namespace: "default", UID: "e1b7c5f8-4a9c-4ac6-8d1f-f7f8f8a6c111",
			ResourceVersion: "358", Generation: 2, CreationTimestamp: at, Labels: labels,
			Annotations: map[string]string{
				"deployment.kubernetes.io/desired-replicas": "4", "deployment.kubernetes.io/max-replicas": "5",
				"deployment.kubernetes.io/revision": "1",
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "Deployment", Name: "demo", UID: "5c2f1f6a-93fd-4c4e-a4be-2f9a6d3ec222",
				Controller: &yes, BlockOwnerDeletion: &yes,
			}},
			ManagedFields: []metav1.ManagedFieldsEntry{{
				Manager: "kube-controller-manager", Operation: "Update", APIVersion: "apps/v1", Time: &at, FieldsType: "FieldsV1",
				FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{".":{},"f:deployment.kubernetes.io/desired-replicas":{},` +
					`"f:deployment.kubernetes.io/max-replicas":{}}},"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":` +
					`{"k:{\"name\":\"web\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`),
			}},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{
						Name: "web", Image: "registry.example.com/team/web:1.27.3", ImagePullPolicy: corev1.PullIfNotPresent,
						Args:                   []string{"--listen=:8080", "--log-format=json"},
						Env:                    []corev1.EnvVar{{Name: "GREETING", Value: strings.Repeat("hello ", 4)}},
						TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: corev1.TerminationMessageReadFile,
					}},
					RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst,
					SchedulerName: "default-scheduler", SecurityContext: &corev1.PodSecurityContext{},
				},
			},
		},
		Status: appsv1.ReplicaSetStatus{Replicas: 4, FullyLabeledReplicas: 4, ReadyReplicas: 2, AvailableReplicas: 2, ObservedGeneration: 2},
	}
}
