// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const patience = time.Minute

// events are a Deployment, the ReplicaSet that its controller makes, and a Secret, which must not be seen anywhere.
func events(now time.Time) []string {
	const form = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":%q,"stage":"ResponseComplete","verb":"create",` +
		`"requestURI":"/x","user":{"username":%q},"objectRef":{"resource":%q,"namespace":"default","name":%q,"apiGroup":%q,"apiVersion":"v1"},` +
		`"responseStatus":{"code":201},"requestObject":%s,"responseObject":%s,"requestReceivedTimestamp":%q,"stageTimestamp":%q}`
	event := func(second int, user, resource, name, group, object string) string {
		at := now.Add(time.Duration(second) * time.Millisecond).UTC().Format("2006-01-02T15:04:05.000000Z")
		return fmt.Sprintf(form, "audit-"+name, user, resource, name, group, object, object, at, at)
	}
	return []string{
		event(1, "alice", "deployments", "hello", "apps",
			`{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"hello","namespace":"default","uid":"u-1","resourceVersion":"1"}}`),
		event(2, "system:serviceaccount:kube-system:deployment-controller", "replicasets", "hello-1", "apps",
			`{"kind":"ReplicaSet","apiVersion":"apps/v1","metadata":{"name":"hello-1","namespace":"default","uid":"u-2","resourceVersion":"2",`+
				`"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"hello","uid":"u-1","controller":true}]}}`),
		event(3, "alice", "secrets", "key", "",
			`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"key","namespace":"default","uid":"u-3","resourceVersion":"3"},"data":{"k":"bWFnaWM="}}`),
	}
}

// TestWebhookExampleLosesNothingWhenKilled: posts while Jaeger is away, kills the process with -9, and starts it again beside Jaeger.
func TestWebhookExampleLosesNothingWhenKilled(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	webhook := testbed.FreeAddress(t)
	env := []string{"KELEMETRY_STATE=" + filepath.Join(t.TempDir(), "state"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t), "KELEMETRY_WEBHOOK=" + webhook}

	first := startExample(t, "audit-webhook.yaml", append(env, "JAEGER_OTLP="+testbed.FreeAddress(t)))
	post(t, webhook, "prod", events(time.Now()))
	require.NoError(t, syscall.Kill(first.Pid(), syscall.SIGKILL))
	<-first.Exited()

	second := startExample(t, "audit-webhook.yaml", append(env, "JAEGER_OTLP="+jaeger.OTLPGRPC))
	awaitTree(t, jaeger, "prod", "deployments/hello", "replicasets/hello-1")
	require.NoError(t, second.Stop())
}

// TestFileExampleReadsOnWhereItWas: a second run tells what was written meanwhile, and its copy of the log repeats nothing.
func TestFileExampleReadsOnWhereItWas(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	dir := t.TempDir()
	logFile, archive := filepath.Join(dir, "audit.log"), filepath.Join(dir, "archive", "audit.jsonl")
	env := []string{
		"KELEMETRY_STATE=" + filepath.Join(dir, "state"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t), "KELEMETRY_ARCHIVE=" + archive,
		"KELEMETRY_AUDIT_FILES=" + filepath.Join(dir, "audit*.log"), "KELEMETRY_CLUSTER=prod", "JAEGER_OTLP=" + jaeger.OTLPGRPC,
	}
	lines := events(time.Now())

	require.NoError(t, os.WriteFile(logFile, []byte(lines[0]+"\n"), 0o600))
	first := startExample(t, "audit-file.yaml", env)
	awaitTree(t, jaeger, "prod", "deployments/hello")
	require.NoError(t, first.Stop())

	appendTo(t, logFile, lines[1]+"\n"+lines[2]+"\n")
	second := startExample(t, "audit-file.yaml", env)
	awaitTree(t, jaeger, "prod", "deployments/hello", "replicasets/hello-1")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		copied, err := os.ReadFile(archive)
		assert.NoError(c, err)
		for _, id := range []string{"audit-hello\\\"", "audit-hello-1\\\"", "audit-key\\\""} {
			assert.Contains(c, string(copied), id)
		}
	}, patience, 100*time.Millisecond)
	require.NoError(t, second.Stop())

	copied, err := os.ReadFile(archive)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(copied), "audit-hello\\\""), "read twice")
	assert.NotContains(t, string(copied), "bWFnaWM=")
}

// TestJaegerExample: the recording becomes a tree in a Jaeger with a storage of its own.
func TestJaegerExample(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	startExample(t, "jaeger.yaml", []string{"KELEMETRY_WEBHOOK=" + testbed.FreeAddress(t), "JAEGER_OTLP=" + jaeger.OTLPGRPC})
	awaitTree(t, jaeger, "recorded", "deployments/demo", "replicasets/demo-", "pods/demo-")
}

// TestAPIServerExamples: kube-apiserver takes the policy and the webhook file as they are but for the address, and a Deployment
// becomes a tree.
func TestAPIServerExamples(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	webhook := testbed.FreeAddress(t)
	startExample(t, "audit-webhook.yaml", []string{
		"KELEMETRY_STATE=" + filepath.Join(t.TempDir(), "state"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t), "KELEMETRY_WEBHOOK=" + webhook,
		"JAEGER_OTLP=" + jaeger.OTLPGRPC,
	})

	const address = "http://localhost:8080/audit/prod"
	kubeconfig := string(readFile(t, "config-examples/kube-apiserver/audit-webhook.kubeconfig"))
	require.Contains(t, kubeconfig, address)
	kubeconfig = strings.Replace(kubeconfig, address, "http://"+webhook+"/audit/prod", 1)
	cluster := testbed.ForTest(t, testbed.Options{
		Audit: testbed.Audit{Policy: string(readFile(t, "config-examples/kube-apiserver/audit-policy.yaml"))},
		APIServerFlags: []string{
			"--audit-webhook-config-file=" + write(t, t.TempDir(), "webhook.kubeconfig", kubeconfig), "--audit-webhook-batch-max-wait=300ms",
		},
		Pods: testbed.PodsFast,
	})
	_, err := testbed.RolloutScenario(t.Context(), cluster, testbed.RolloutOptions{})
	require.NoError(t, err)
	awaitTree(t, jaeger, "prod", "deployments/demo", "replicasets/demo-", "pods/demo-")
}

// startExample runs the binary with a file of config-examples.
func startExample(t *testing.T, name string, env []string) *collector.Collector {
	t.Helper()
	return collector.ForTest(t, collector.Options{
		Root: root, Config: filepath.Join("config-examples", name), Env: env, Set: []string{collector.NoMetrics},
	})
}

func post(t *testing.T, webhook, cluster string, items []string) {
	t.Helper()
	body := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(items, ",") + `]}`
	resp, err := http.Post("http://"+webhook+"/audit/"+cluster, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", answer)
}

// awaitTree waits until Jaeger has a trace in which the names are those of a root, of a child of it, and so on.
func awaitTree(t *testing.T, jaeger *testbed.Jaeger, cluster string, names ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var traces []testbed.Trace
	for ctx.Err() == nil {
		var err error
		traces, err = jaeger.Query.FindTraces(ctx, testbed.TraceQuery{Service: cluster, Start: time.Unix(0, 0)}) // recordings are old
		if err == nil {
			for _, trace := range traces {
				if hasPath(trace, trace.Roots(), names) {
					return
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	t.Fatalf("no trace with %s in Jaeger, which has:\n%v", strings.Join(names, " → "), traces)
}

func hasPath(trace testbed.Trace, spans []testbed.Span, names []string) bool {
	if len(names) == 0 {
		return true
	}
	for _, span := range spans {
		if strings.HasPrefix(span.Operation, names[0]) && hasPath(trace, trace.Children(span), names[1:]) {
			return true
		}
	}
	return false
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
