// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package links

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

const (
	root      = "../.."
	namespace = "default"
	patience  = 3 * time.Minute
)

// TestLinksOfRealObjects: what plain Kubernetes links is linked on both sides, and so are objects of two clusters, by rule and
// by annotation.
func TestLinksOfRealObjects(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	file := filepath.Join(t.TempDir(), "traces.jsonl")
	webhook := testbed.FreeAddress(t)
	audit := func(cluster string) testbed.Audit {
		return testbed.Audit{Webhook: testbed.AuditWebhook{URL: "http://" + webhook + "/audit/" + cluster, InitialBackoff: time.Second}}
	}
	hub := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly, Audit: audit("hub")})
	prod := testbed.ForTest(t, testbed.Options{Pods: testbed.PodsFast, Audit: audit("prod")})
	startCollector(t, filepath.Join("integration", "links", "testdata", "links.yaml"),
		"KUBECONFIG="+prod.Kubeconfig, "WEBHOOK="+webhook, "TRACES="+file, "JAEGER_OTLP="+jaeger.OTLPGRPC)

	for _, name := range []string{"web-template", "web-parent"} {
		_, err := hub.Alice.Client.CoreV1().ConfigMaps(namespace).Create(t.Context(),
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	createShop(t, prod.Alice.Client)

	await := func(cluster string, want ...string) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			seen := linksIn(exported(c, file), cluster)
			for _, link := range want {
				assert.Contains(c, seen, link)
			}
		}, patience, time.Second)
	}
	await("prod",
		"horizontalpodautoscalers/web forward scales prod deployments/web",
		"deployments/web backward scales prod horizontalpodautoscalers/web",
		"pods/web- forward node prod nodes/",
		"nodes/ backward node prod pods/web-",
		"pods/web- forward volume-claim prod persistentvolumeclaims/data",
		"persistentvolumeclaims/data backward volume-claim prod pods/web-",
		"persistentvolumeclaims/data forward volume prod persistentvolumes/disk",
		"persistentvolumes/disk backward volume prod persistentvolumeclaims/data",
		"persistentvolumes/disk forward claim prod persistentvolumeclaims/data",
		"persistentvolumeclaims/data backward claim prod persistentvolumes/disk",
		"endpointslices/web- forward service prod services/web",
		"services/web backward service prod endpointslices/web-",
		"ingresses/web forward backend prod services/web",
		"services/web backward backend prod ingresses/web",
		"deployments/web forward template hub configmaps/web-template",
		"deployments/web forward parent hub configmaps/web-parent",
	)
	await("hub",
		"configmaps/web-template backward template prod deployments/web",
		"configmaps/web-parent backward child prod deployments/web",
	)
	// When a Service is made, its EndpointSlice is made with the Pods that have an address by then.
	require.Eventually(t, func() bool {
		pods, err := prod.Alice.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		return err == nil && len(pods.Items) > 0 && pods.Items[0].Status.PodIP != ""
	}, patience, 50*time.Millisecond)
	createService(t, prod.Alice.Client, "later")
	await("prod",
		"endpointslices/later- forward endpoint prod pods/web-",
		"pods/web- backward endpoint prod endpointslices/later-",
	)
	for _, direction := range []string{attr.LinkForward, attr.LinkBackward} {
		for _, role := range []string{"scales", "node", "volume-claim", "volume", "claim", "service", "endpoint", "backend", "template"} {
			awaitInJaeger(t, jaeger, role, direction)
		}
	}
}

// awaitInJaeger waits until Jaeger finds a link by its role, and leads from it to the object span of its target.
func awaitInJaeger(t *testing.T, jaeger *testbed.Jaeger, role, direction string) {
	t.Helper()
	cluster := "prod"
	if role == "template" && direction == attr.LinkBackward {
		cluster = "hub"
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{
			Service: cluster, Operation: role, Tags: map[string]string{attr.LinkRole: role, attr.LinkDirection: direction},
		})
		require.NoError(c, err)
		require.NotEmpty(c, traces)
		links := traces[0].Find(func(s testbed.Span) bool { return s.Operation == role && s.Tags[attr.LinkDirection] == direction })
		require.NotEmpty(c, links)
		require.Len(c, links[0].Links, 1)
		other, err := jaeger.Query.Trace(t.Context(), links[0].Links[0].TraceID)
		require.NoError(c, err)
		target, ok := other.Span(links[0].Links[0].SpanID)
		require.True(c, ok)
		assert.Equal(c, links[0].Tags[attr.LinkTargetID], target.Process[attr.ObjectID])
		assert.Equal(c, attr.SpanTypeObject, target.Tags[attr.SpanType])
	}, patience, 500*time.Millisecond, "%s %s", role, direction)
}

// createShop makes a Deployment and what refers to it and what it refers to.
func createShop(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ctx, create := t.Context(), metav1.CreateOptions{}
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	noClass := ""
	_, err := client.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "disk"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/nowhere"}},
		},
	}, create)
	require.NoError(t, err)
	_, err = client.CoreV1().PersistentVolumeClaims(namespace).Create(ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: &noClass, VolumeName: "disk",
			Resources: corev1.VolumeResourceRequirements{Requests: size},
		},
	}, create)
	require.NoError(t, err)
	createService(t, client, "web")
	_, err = client.NetworkingV1().Ingresses(namespace).Create(ctx, &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}},
		}},
	}, create)
	require.NoError(t, err)
	labels := map[string]string{"app": "web"}
	_, err = client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{
			"example.com/template":               "web-template",
			"kelemetry.kubewharf.io/parent-link": `{"cluster":"hub","group":"","version":"v1","resource":"configmaps","namespace":"default","name":"web-parent"}`,
		}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "web", Image: "web"}},
					Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
						PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
					}}},
				},
			},
		},
	}, create)
	require.NoError(t, err)
	_, err = client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MaxReplicas: 2,
		},
	}, create)
	require.NoError(t, err)
}

func createService(t *testing.T, client kubernetes.Interface, name string) {
	t.Helper()
	_, err := client.CoreV1().Services(namespace).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// linksIn lists the link spans on objects of a cluster whose span link leads to the object span of their target, without the
// random ends of names: "pods/web- forward node prod nodes/".
func linksIn(all []span, cluster string) map[string]bool {
	objects := map[ids]span{}
	for _, s := range all {
		if s.attribute(attr.SpanType) == attr.SpanTypeObject {
			objects[ids{s.TraceID(), s.SpanID()}] = s
		}
	}
	seen := map[string]bool{}
	for _, s := range all {
		if s.attribute(attr.SpanType) != attr.SpanTypeLink || text(s.resource, attr.ClusterName) != cluster || s.Links().Len() != 1 {
			continue
		}
		here, ok := objects[ids{s.TraceID(), s.ParentSpanID()}]
		there, led := objects[ids{s.Links().At(0).TraceID(), s.Links().At(0).SpanID()}]
		if !ok || !led || text(there.resource, attr.ObjectID) != s.attribute(attr.LinkTargetID) {
			continue
		}
		seen[fmt.Sprintf("%s %s %s %s %s", stem(here.Name()), s.attribute(attr.LinkDirection), s.Name(), s.attribute(attr.LinkTargetCluster), stem(there.Name()))] = true
	}
	return seen
}

// stem cuts what controllers append to names, and the names of nodes.
func stem(name string) string {
	switch {
	case strings.HasPrefix(name, "nodes/"):
		return "nodes/"
	case strings.HasPrefix(name, "pods/web-"):
		return "pods/web-"
	case strings.HasPrefix(name, "endpointslices/web-"):
		return "endpointslices/web-"
	case strings.HasPrefix(name, "endpointslices/later-"):
		return "endpointslices/later-"
	default:
		return name
	}
}

func startCollector(t *testing.T, config string, env ...string) {
	t.Helper()
	collector.ForTest(t, collector.Options{
		Root: root, Config: config, Env: env, Set: []string{collector.NoMetrics},
	})
}
