// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package deploy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const (
	root      = "../.."
	namespace = "kelemetry"
	patience  = time.Minute
)

// creator creates any objects in a cluster, as an administrator.
type creator struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

func newCreator(t *testing.T, c *testbed.Cluster) creator {
	t.Helper()
	client, err := dynamic.NewForConfig(c.Admin.Config)
	require.NoError(t, err)
	return creator{client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.Admin.Client.Discovery()))}
}

func (c creator) create(ctx context.Context, object *unstructured.Unstructured, dryRun ...string) error {
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	_, err = c.client.Resource(mapping.Resource).Namespace(object.GetNamespace()).
		Create(ctx, object, metav1.CreateOptions{DryRun: dryRun, FieldValidation: metav1.FieldValidationStrict})
	return err
}

// TestManifests: a real API server takes every object as it is, by a dry run that knows every field; and the Pod in a namespace that is
// restricted, as the shipped one is, where it would not take one that is less so.
func TestManifests(t *testing.T) {
	cluster := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly})
	creator := newCreator(t, cluster)
	kinds := map[string]int{}
	for _, object := range build(t, filepath.Join(folder, "kubernetes")) {
		kinds[object.GetKind()]++
		if object.GetKind() == "Namespace" {
			require.NoError(t, creator.create(t.Context(), object)) // the others are in it
			continue
		}
		require.NoError(t, creator.create(t.Context(), object, metav1.DryRunAll), "%s %s", object.GetKind(), object.GetName())
	}
	for _, kind := range []string{"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "StatefulSet", "Service", "NetworkPolicy"} {
		assert.NotZero(t, kinds[kind], kind)
	}

	spec, _, err := unstructured.NestedMap(parse(t, read(t, folder, "kubernetes/statefulset.yaml")).Object, "spec", "template", "spec")
	require.NoError(t, err)
	spec["volumes"] = append(spec["volumes"].([]any), map[string]any{"name": "data", "emptyDir": map[string]any{}}) // the claim's
	pod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "kelemetry-0", "namespace": namespace}, "spec": spec,
	}}
	require.NoError(t, creator.create(t.Context(), pod, metav1.DryRunAll))
	unstructured.RemoveNestedField(spec["containers"].([]any)[0].(map[string]any), "securityContext", "capabilities")
	err = creator.create(t.Context(), pod, metav1.DryRunAll)
	require.True(t, apierrors.IsForbidden(err), "%v", err)
	assert.ErrorContains(t, err, "restricted")
}

// TestDeployed runs the configuration of the manifests with the rights that they give, and a real API server that posts with the files
// of deploy/kube-apiserver. All but addresses and folders is as shipped.
func TestDeployed(t *testing.T) {
	dir := t.TempDir()
	certificates, foreign := filepath.Join(dir, "certificates"), filepath.Join(dir, "foreign")
	for _, to := range []string{certificates, foreign} {
		out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "kube-apiserver", "certificates.sh"), to).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	webhook, pages, store := testbed.FreeAddress(t), testbed.FreeAddress(t), testbed.FreeAddress(t)
	cluster := testbed.ForTest(t, testbed.Options{
		Pods:  testbed.PodsFast,
		Audit: testbed.Audit{Policy: string(read(t, root, "config-examples/kube-apiserver/audit-policy.yaml"))},
		APIServerFlags: []string{
			"--audit-webhook-batch-max-wait=300ms", "--audit-webhook-initial-backoff=1s",
			"--audit-webhook-config-file=" + rewrite(t, dir, "kube-apiserver/audit-webhook.kubeconfig",
				"https://10.96.0.200:8443", "https://"+webhook, "/etc/kubernetes/kelemetry", certificates),
		},
	})
	creator := newCreator(t, cluster)
	for _, object := range build(t, filepath.Join(folder, "kubernetes")) {
		if kind := object.GetKind(); kind == "StatefulSet" {
			continue // this test is its Pod
		}
		require.NoError(t, creator.create(t.Context(), object))
	}
	metrics, doctor := testbed.FreeAddress(t), testbed.FreeAddress(t)
	c, err := collector.Start(t.Context(), collector.Options{
		Root: root,
		Config: rewrite(t, dir, "kubernetes/kelemetry.yaml",
			"0.0.0.0:8443", webhook, "localhost:8081", pages, "localhost:17272", store, "0.0.0.0:17271", testbed.FreeAddress(t),
			"0.0.0.0:13133", testbed.FreeAddress(t), "localhost:13135", doctor, "port: 8888", "port: "+metrics[strings.LastIndexByte(metrics, ':')+1:], "host: 0.0.0.0", "host: 127.0.0.1",
			"/etc/kelemetry/tls", certificates, "/var/lib/kelemetry", filepath.Join(dir, "data")),
		Set: []string{"extensions.doctor.metrics_url=http://" + metrics + "/metrics"},
		Env: []string{"KELEMETRY_CLUSTER=prod", "KUBECONFIG=" + accountKubeconfig(t, cluster, dir)},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, c.Stop())
		if t.Failed() {
			t.Log(c.Tail())
		}
	})

	_, err = testbed.RolloutScenario(t.Context(), cluster, testbed.RolloutOptions{})
	require.NoError(t, err)
	var tree string
	require.Eventually(t, func() bool {
		tree = get(t, "http://"+pages+"/trace?resource=deployments&namespace=demo&name=demo&format=text&mode=tracing+%5Bfull+tree%5D")
		for _, source := range []string{"alice", "ScalingReplicaSet", "spec.replicas  2 → 4", "─ Pod demo-"} {
			if !strings.Contains(tree, source) {
				return false
			}
		}
		return true
	}, patience, 200*time.Millisecond, "%s", c.Tail())
	assert.Contains(t, get(t, "http://"+metrics+"/metrics"), "\notelcol_receiver_accepted_spans{")
	found := get(t, "http://"+doctor)
	assert.NotContains(t, found, "PROBLEM")
	assert.Contains(t, found, "ok       exporter otlp_grpc: ")

	for name, certificate := range map[string]string{"nobody": "", "somebody whom another authority knows": foreign} {
		require.Error(t, post(t, webhook, certificates, certificate), name)
	}
	require.NoError(t, post(t, webhook, certificates, certificates))
}

// post sends an empty batch, with the client's certificate of a folder.
func post(t *testing.T, webhook, authority, client string) error {
	t.Helper()
	config := &tls.Config{ServerName: "kelemetry.kelemetry.svc", RootCAs: pool(t, filepath.Join(authority, "ca.crt"))}
	if client != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(client, "client.crt"), filepath.Join(client, "client.key"))
		require.NoError(t, err)
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Post("https://"+webhook+"/audit", "application/json",
		strings.NewReader(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}`))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return nil
}

// accountKubeconfig is for the account of the manifests, which has the rights that they give it and no others.
func accountKubeconfig(t *testing.T, c *testbed.Cluster, dir string) string {
	t.Helper()
	review, err := c.Admin.Client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "kelemetry", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	config, err := clientcmd.LoadFromFile(c.Kubeconfig)
	require.NoError(t, err)
	for name := range config.AuthInfos {
		config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: review.Status.Token}
	}
	path := filepath.Join(dir, "account.kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, path))
	return path
}

// rewrite writes a file of deploy/ with texts replaced, each of which must be in it, and returns its path.
func rewrite(t *testing.T, dir, file string, oldNew ...string) string {
	t.Helper()
	data := read(t, folder, file)
	for i := 0; i < len(oldNew); i += 2 {
		require.Contains(t, string(data), oldNew[i])
		data = bytes.ReplaceAll(data, []byte(oldNew[i]), []byte(oldNew[i+1]))
	}
	path := filepath.Join(dir, filepath.Base(file))
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	certificates := x509.NewCertPool()
	require.True(t, certificates.AppendCertsFromPEM(read(t, file)))
	return certificates
}
