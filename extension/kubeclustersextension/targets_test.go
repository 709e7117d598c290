// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"k8s.io/client-go/rest"
)

const kubeconfigFile = `
apiVersion: v1
kind: Config
current-context: blue-admin
contexts:
  - { name: blue-admin, context: { cluster: blue, user: admin } }
  - { name: green-admin, context: { cluster: green, user: admin } }
  - { name: broken, context: { cluster: nowhere, user: admin } }
clusters:
  - { name: blue, cluster: { server: https://blue.example.com } }
  - { name: green, cluster: { server: https://green.example.com } }
users:
  - { name: admin, user: { token: t } }
`

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func notInCluster() (*rest.Config, error) { return nil, rest.ErrNotInCluster }

func inPod() (*rest.Config, error) { return &rest.Config{Host: "https://10.96.0.1:443"}, nil }

// one resolves a configuration of one cluster.
func one(t *testing.T, config *Config, inCluster func() (*rest.Config, error)) target {
	t.Helper()
	found, err := targets(config, inCluster)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func TestWithoutClustersItIsTheOneThatTheCollectorRunsIn(t *testing.T) {
	t.Setenv("KUBECONFIG", write(t, "config", kubeconfigFile))
	config := createDefaultConfig().(*Config)
	found := one(t, config, inPod)
	assert.Equal(t, "kubernetes", found.name)
	assert.NotEmpty(t, found.nameFrom)
	assert.Equal(t, "https://10.96.0.1:443", found.rest.Host)
	assert.InDelta(t, 20, found.rest.QPS, 0)
	assert.Equal(t, 40, found.rest.Burst)

	config.ClusterName = "prod"
	found = one(t, config, inPod)
	assert.Equal(t, "prod", found.name)
	assert.Empty(t, found.nameFrom)
}

func TestWithoutClustersAndOutsideItIsTheCurrentContext(t *testing.T) {
	t.Setenv("KUBECONFIG", write(t, "config", kubeconfigFile))
	config := createDefaultConfig().(*Config)
	found := one(t, config, notInCluster)
	assert.Equal(t, "blue", found.name)
	assert.NotEmpty(t, found.nameFrom)
	assert.Equal(t, "https://blue.example.com", found.rest.Host)

	config.ClusterName = "prod"
	assert.Equal(t, "prod", one(t, config, notInCluster).name)
}

func TestWithoutAnythingTheErrorSaysWhatWasTried(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	_, err := targets(createDefaultConfig().(*Config), notInCluster)
	require.ErrorContains(t, err, "clusters: none is configured, the collector does not run in a cluster, and the default kubeconfig cannot be used: path: no context in")

	_, err = targets(createDefaultConfig().(*Config), func() (*rest.Config, error) { return nil, os.ErrNotExist })
	require.ErrorContains(t, err, "the service account of this Pod cannot be used: file does not exist")

	t.Setenv("KUBECONFIG", write(t, "config", "{contexts: [{name: a, context: {cluster: a b}}], clusters: [{name: a b, cluster: {server: https://x}}], current-context: a}"))
	_, err = targets(createDefaultConfig().(*Config), notInCluster)
	require.ErrorContains(t, err, "cluster_name: must be set, because the kubeconfig's name cannot be used")
}

func TestTargetsAreThoseOfTheConfiguration(t *testing.T) {
	t.Setenv("KUBECONFIG", write(t, "config", kubeconfigFile))
	ca, token := write(t, "ca", "CA"), write(t, "token", "TOKEN")
	config := createDefaultConfig().(*Config)
	config.Clusters = map[string]ClusterConfig{
		"here":   {},
		"blue":   {AuthType: authKubeconfig, QPS: 100},
		"second": {Kubeconfig: configoptional.Some(KubeconfigConfig{Path: write(t, "other", kubeconfigFile), Context: "green-admin"}), Burst: 99},
		"server": {Server: configoptional.Some(ServerConfig{
			URL: "https://s", TokenFile: token, TLS: TLSConfig{CAFile: ca, ServerName: "n", CertPem: "C", KeyPem: "K"},
		})},
	}
	found, err := targets(config, inPod)
	require.NoError(t, err)
	require.Len(t, found, 4)
	names := []string{found[0].name, found[1].name, found[2].name, found[3].name}
	assert.Equal(t, []string{"blue", "here", "second", "server"}, names)
	assert.Equal(t, "https://blue.example.com", found[0].rest.Host)
	assert.InDelta(t, 100, found[0].rest.QPS, 0)
	assert.Equal(t, 40, found[0].rest.Burst)
	assert.Equal(t, "https://10.96.0.1:443", found[1].rest.Host)
	assert.Equal(t, "https://green.example.com", found[2].rest.Host)
	assert.InDelta(t, 20, found[2].rest.QPS, 0)
	assert.Equal(t, 99, found[2].rest.Burst)
	assert.Equal(t, "https://s", found[3].rest.Host)
	assert.Equal(t, token, found[3].rest.BearerTokenFile)
	assert.Equal(t, rest.TLSClientConfig{CAFile: ca, ServerName: "n", CertData: []byte("C"), KeyData: []byte("K")}, found[3].rest.TLSClientConfig)
}

func TestHomeIsFound(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	require.NoError(t, os.WriteFile(filepath.Join(home, "kc"), []byte(kubeconfigFile), 0o600))
	config := createDefaultConfig().(*Config)
	config.Clusters = map[string]ClusterConfig{"x": {Kubeconfig: configoptional.Some(KubeconfigConfig{Path: "~/kc"})}}
	assert.Equal(t, "https://blue.example.com", one(t, config, notInCluster).rest.Host)
}

func TestErrorsNameTheKeyAndAllAreToldAtOnce(t *testing.T) {
	config := createDefaultConfig().(*Config)
	path := write(t, "config", kubeconfigFile)
	config.Clusters = map[string]ClusterConfig{
		"here":    {},
		"missing": {Kubeconfig: configoptional.Some(KubeconfigConfig{Path: filepath.Join(t.TempDir(), "none")})},
		"context": {Kubeconfig: configoptional.Some(KubeconfigConfig{Path: path, Context: "red"})},
		"broken":  {Kubeconfig: configoptional.Some(KubeconfigConfig{Path: path, Context: "broken"})},
		"server": {Server: configoptional.Some(ServerConfig{
			URL: "https://s", TokenFile: write(t, "token", " \n"), TLS: TLSConfig{CAFile: "/none/ca", CertFile: "/none/cert", KeyFile: "/none/key"},
		})},
	}
	_, err := targets(config, notInCluster)
	for _, want := range []string{
		"clusters::here::auth_type: serviceAccount: unable to load in-cluster configuration",
		"clusters::missing::kubeconfig::path: ", "none: no such file or directory",
		`clusters::context::kubeconfig::context: no context "red" in ` + path + ", which has blue-admin, broken, green-admin",
		`clusters::broken::kubeconfig::context: "broken": `,
		"clusters::server::server::token_file: ", "is empty",
		"clusters::server::server::tls::ca_file: open /none/ca: no such file or directory",
		"clusters::server::server::tls::cert_file: ", "clusters::server::server::tls::key_file: ",
	} {
		require.ErrorContains(t, err, want)
	}
}
