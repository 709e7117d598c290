// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func BenchmarkAppendObject(b *testing.B) {
	withKey, withPaths := NewDefaultConfig(), NewDefaultConfig()
	withKey.HashKey = "0123456789abcdef"
	withPaths.Paths = []PathRule{{"deployments.apps", "spec.template.spec.volumes[*].flexVolume.options"}, {"secrets", "metadata.labels.x"}}
	for _, c := range []struct {
		name   string
		config Config
		target Target
		object any
	}{
		{"Deployment", NewDefaultConfig(), aDeployment, deployment()},
		{"Deployment with paths", withPaths, aDeployment, deployment()},
		{"Secret", NewDefaultConfig(), aSecret, secret()},
		{"Secret with hashes", withKey, aSecret, secret()},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, err := New(c.config)
			require.NoError(b, err)
			body, err := json.Marshal(c.object)
			require.NoError(b, err)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				if out, _, err = r.AppendObject(out[:0], c.target, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	r := defaultRedactor(b)
	msg := "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your changes to the latest version and try again"
	b.ReportAllocs()
	for b.Loop() {
		r.Message(aDeployment, msg)
	}
}

func BenchmarkQuery(b *testing.B) {
	r := defaultRedactor(b)
	b.ReportAllocs()
	for b.Loop() {
		r.Query("fieldManager=kubectl-client-side-apply&fieldValidation=Strict")
	}
}

func secret() *corev1.Secret {
	data := make(map[string][]byte)
	for i := range 5 {
		data[fmt.Sprintf("key-%d", i)] = []byte(strings.Repeat("hunter2 ", 40))
	}
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{Kind: "Secret", APIVersion: "v1"}, ObjectMeta: objectMeta("db"), Data: data, Type: corev1.SecretTypeOpaque,
	}
}

func deployment() *appsv1.Deployment {
	replicas := int32(3)
	container := func(name string) corev1.Container {
		c := corev1.Container{
			Name: name, Image: "registry.example.com/team/" + name + ":1.27.3", ImagePullPolicy: corev1.PullIfNotPresent,
			Args:  []string{"--listen=:8080", "--log-format=json", "--database=postgres://db.default.svc:5432/web"},
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")},
				Limits:   corev1.ResourceList{"memory": resource.MustParse("256Mi")},
			},
			LivenessProbe: &corev1.Probe{
				ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http"), Scheme: "HTTP"}},
				PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3,
			},
			VolumeMounts:           []corev1.VolumeMount{{Name: "config", MountPath: "/etc/" + name, ReadOnly: true}},
			TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		}
		for i := range 6 {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: strings.Repeat("v", 5*i)})
		}
		return c
	}
	labels := map[string]string{"app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "shop"}
	meta := objectMeta("web")
	meta.Labels = labels
	return &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{Kind: "Deployment", APIVersion: "apps/v1"}, ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"prometheus.io/scrape": "true"}},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{container("web"), container("sidecar")}, ServiceAccountName: "web",
					Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
						LocalObjectReference: corev1.LocalObjectReference{Name: "web"},
					}}}},
					RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst, SchedulerName: "default-scheduler",
				},
			},
		},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: 4, Replicas: 3, ReadyReplicas: 3, AvailableReplicas: 3,
			Conditions: []appsv1.DeploymentCondition{{
				Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable",
				Message: `ReplicaSet "web-78bb56d9c4" has successfully progressed.`,
			}},
		},
	}
}

func objectMeta(name string) metav1.ObjectMeta {
	at := metav1.NewTime(time.Date(2025, 11, 23, 18, 22, 1, 0, time.UTC))
	return metav1.ObjectMeta{
		Name: name, Namespace: "default", UID: "e1b7c5f8-4a9c-4ac6-8d1f-f7f8f8a6c111", ResourceVersion: "358", Generation: 4,
		CreationTimestamp: at, Annotations: map[string]string{
			"deployment.kubernetes.io/revision":                "3",
			"kubectl.kubernetes.io/last-applied-configuration": `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":3,"template":{"spec":{"containers":[]}}}}`,
		},
		ManagedFields: []metav1.ManagedFieldsEntry{{
			Manager: "kubectl-client-side-apply", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "apps/v1", Time: &at, FieldsType: "FieldsV1",
			FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{".":{},"f:kubectl.kubernetes.io/last-applied-configuration":{}}},"f:spec":{"f:replicas":{},` +
				`"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:env":{".":{},"k:{\"name\":\"SETTING_0\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{}}}}}}}`),
		}},
	}
}
