// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver"
)

const (
	pods         = 5000
	maxResident  = 100 << 20
	maxAnonymous = 45 << 20 // of it; the rest are pages of the executable, of which the kernel maps as many as it likes
	updatesEach  = 200      // a second
	updatesFor   = 10 * time.Second
	childEnv     = "KELEMETRY_WATCH_CHILD"
	creators     = 16
	podSize      = 9 << 10
	childReports = 200 * time.Millisecond
)

// report is what the child says about itself.
type report struct {
	Resident, Anonymous, Peak int64
	Objects, State            int64
	Resources                 int64
	Spans                     int
	CPU                       time.Duration
}

// TestMemoryOfFiveThousandPods measures the receiver in a process that has nothing else in it, and the built product.
func TestMemoryOfFiveThousandPods(t *testing.T) {
	cluster := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly})
	size := createPods(t, cluster)
	assert.Greater(t, size, podSize*9/10)
	t.Run("the receiver alone", func(t *testing.T) {
		child := startChild(t, cluster.Kubeconfig)
		measure(t, cluster, size, 1, func(t *testing.T) report { t.Helper(); return child.last() })
	})
	t.Run("the whole binary", func(t *testing.T) {
		measure(t, cluster, size, 2, startWhole(t, cluster.Kubeconfig)) // the object's span too
	})
}

// measure waits until all Pods are known and what reading them took is given back, and changes some, which makes so many spans each.
func measure(t *testing.T, cluster *testbed.Cluster, size, spansEach int, last func(*testing.T) report) {
	t.Helper()
	var steady report
	require.Eventually(t, func() bool { steady = last(t); return steady.Objects >= pods }, 2*time.Minute, childReports)
	t.Logf("after the first list: %s", describe(steady))
	assert.Eventually(t, func() bool {
		steady = last(t)
		return steady.Resident < maxResident && steady.Anonymous < maxAnonymous
	}, time.Minute, childReports)
	t.Logf("steady: %s", describe(steady))
	patchPods(t, cluster)
	require.Eventually(t, func() bool { return last(t).Spans >= spansEach*int(updatesEach*updatesFor/time.Second) }, 2*time.Minute, childReports)
	busy := last(t)
	t.Logf("%d Pods of %d bytes; after %d updates a second for %s: %s; CPU for them %s", pods, size, updatesEach, updatesFor, describe(busy), busy.CPU-steady.CPU)
	assert.Less(t, busy.Peak, int64(maxResident*3/2))
}

// startWhole runs config-examples/watch.yaml, into something that takes OTLP, and returns what tells of the process.
func startWhole(t *testing.T, kubeconfig string) func(*testing.T) report {
	t.Helper()
	sink := collector.SinkForTest(t)
	metrics := testbed.FreeAddress(t)
	serveMetrics, err := collector.MetricsAt(metrics)
	require.NoError(t, err)
	c := collector.ForTest(t, collector.Options{
		Root: "../..", Config: filepath.Join("config-examples", "watch.yaml"),
		Set: []string{serveMetrics},
		Env: []string{
			"GOGC=50", // half the room for garbage, see the README
			"KUBECONFIG=" + kubeconfig, "JAEGER_OTLP=" + sink.Address, "KELEMETRY_STATE=" + filepath.Join(t.TempDir(), "state"),
			"KELEMETRY_HEALTH=" + testbed.FreeAddress(t),
		},
	})
	return func(t *testing.T) report {
		t.Helper()
		usage, err := c.Usage()
		require.NoError(t, err)
		told := scrape(t, metrics)
		return report{
			Resident: usage.Resident, Anonymous: usage.Anonymous, Peak: usage.Peak, CPU: usage.CPU, Spans: int(sink.Spans()),
			Objects: told["otelcol_receiver_watch_objects"], State: told["otelcol_receiver_watch_state_size"],
		}
	}
}

// scrape reads the metrics that a process has one of each.
func scrape(t *testing.T, address string) map[string]int64 {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	values := map[string]int64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, _, _ := strings.Cut(strings.ReplaceAll(lines.Text(), "{", " "), " ")
		if value, err := strconv.ParseFloat(lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:], 64); err == nil {
			values[name] = int64(value)
		}
	}
	return values
}

func describe(r report) string {
	return fmt.Sprintf("resident %.1f MB, of it anonymous %.1f MB, peak %.1f MB, states %.1f MB for %d objects (%d bytes each), %d spans",
		float64(r.Resident)/1e6, float64(r.Anonymous)/1e6, float64(r.Peak)/1e6, float64(r.State)/1e6, r.Objects, r.State/max(r.Objects, 1), r.Spans)
}

func createPods(t *testing.T, c *testbed.Cluster) (size int) {
	t.Helper()
	client := c.Admin.Client.CoreV1().Pods("default")
	_, err := c.Admin.Client.CoreV1().ServiceAccounts("default").Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	var all sync.WaitGroup
	for worker := range creators {
		all.Go(func() {
			for i := worker; i < pods; i += creators {
				created, err := client.Create(t.Context(), pod(i), metav1.CreateOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if i == 0 {
					text, _ := json.Marshal(created)
					size = len(text)
				}
			}
		})
	}
	all.Wait()
	require.False(t, t.Failed())
	return size
}

// pod is like those of a service mesh: two containers with probes, resources, volumes and much environment.
func pod(i int) *corev1.Pod {
	app := fmt.Sprintf("service-%d", i%50)
	container := func(name string) corev1.Container {
		c := corev1.Container{
			Name: name, Image: fmt.Sprintf("registry.example.com/%s/%s:v%d.%d.%d", app, name, i%3, i%7, i%11),
			Ports: []corev1.ContainerPort{{Name: name, ContainerPort: int32(8000 + len(name))}},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")},
				Limits:   corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("1Gi")},
			},
			VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/config"}, {Name: "tmp", MountPath: "/tmp"}},
		}
		for n := range 26 {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("%s_SETTING_%02d", strings.ToUpper(name), n), Value: fmt.Sprintf("value-%d-of-%s", n, app)})
		}
		return c
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("%s-%x-%05d", app, i%50*7919, i),
			Labels: map[string]string{"app": app, "pod-template-hash": fmt.Sprintf("%x", i%50*7919), "tier": "backend"},
			Annotations: map[string]string{
				"checksum/config": fmt.Sprintf("%064x", i*104729), "prometheus.io/scrape": "true", "prometheus.io/port": "9090",
			},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: fmt.Sprintf("%s-%x", app, i%50*7919), UID: types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012x", i%50)), Controller: new(true)}},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container("app"), container("proxy")},
			Volumes:    []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: app}}}}, {Name: "tmp"}},
		},
	}
}

// patchPods changes Pods at a steady rate.
func patchPods(t *testing.T, c *testbed.Cluster) {
	t.Helper()
	client := c.Admin.Client.CoreV1().Pods("default")
	round := time.Now().UnixNano() // or a second round would change nothing
	ticker := time.NewTicker(time.Second / updatesEach)
	defer ticker.Stop()
	var all sync.WaitGroup
	for i := range int(updatesEach * updatesFor / time.Second) {
		<-ticker.C
		all.Go(func() {
			name := pod(i % pods).Name
			_, err := client.Patch(t.Context(), name, types.MergePatchType, fmt.Appendf(nil, `{"status":{"phase":"Running","message":"round %d, step %d"}}`, round, i), metav1.PatchOptions{}, "status")
			assert.NoError(t, err)
		})
	}
	all.Wait()
}

// child is a process that watches, and keeps its last report.
type child struct {
	mu     sync.Mutex // guards report
	report report
}

func (c *child) last() report {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.report
}

func startChild(t *testing.T, kubeconfig string) *child {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+kubeconfig)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{}
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var r report
			if json.Unmarshal(lines.Bytes(), &r) == nil {
				c.mu.Lock()
				c.report = r
				c.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		reading.Wait()
		_ = cmd.Wait()
	})
	return c
}

// runChild is the child's main function.
func runChild(kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100
	telemetry := componenttest.NewTelemetry()
	factory := watchreceiver.NewFactory()
	set := receivertest.NewNopSettings(factory.Type())
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	counter := &counting{Consumer: consumertest.NewNop()}
	r, err := factory.CreateTraces(context.Background(), set, factory.CreateDefaultConfig(), counter)
	if err != nil {
		return err
	}
	if err := r.Start(context.Background(), &host{cluster: &cluster{config, memory.NewMemCacheClient(client)}}); err != nil {
		return err
	}
	for range time.Tick(childReports) {
		text, err := json.Marshal(report{
			Resident: status("VmRSS:"), Anonymous: status("RssAnon:"), Peak: status("VmHWM:"), Objects: gauge(telemetry, "otelcol_receiver_watch_objects"),
			Resources: gauge(telemetry, "otelcol_receiver_watch_resources"),
			State:     gauge(telemetry, "otelcol_receiver_watch_state_size"), Spans: counter.count(), CPU: cpu(),
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Println(string(text)); err != nil {
			return err
		}
	}
	return nil
}

func gauge(telemetry *componenttest.Telemetry, name string) int64 {
	m, err := telemetry.GetMetric(name)
	if err != nil {
		return 0
	}
	points := m.Data.(metricdata.Gauge[int64]).DataPoints
	if len(points) == 0 {
		return 0
	}
	return points[0].Value
}

// status reads a size from /proc/self/status.
func status(key string) int64 {
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), key)
	var kilobytes int64
	_, _ = fmt.Sscan(rest, &kilobytes)
	return kilobytes << 10
}

func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
