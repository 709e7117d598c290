// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func loadConfig(t *testing.T, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(config))
	return config
}

func TestConfigNeedsNothing(t *testing.T) {
	config := loadConfig(t, "kube_clusters")
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, createDefaultConfig(), config)

	require.NoError(t, confmap.Validate(loadConfig(t, "kube_clusters/named")))
}

func TestConfigReadsEveryOption(t *testing.T) {
	config := loadConfig(t, "kube_clusters/full")
	require.NoError(t, confmap.Validate(config))

	auth := map[string]string{}
	for name, cluster := range config.Clusters {
		auth[name] = cluster.authType()
	}
	assert.Equal(t, map[string]string{
		"here": authServiceAccount, "prod": authKubeconfig, "laptop": authKubeconfig, "edge": authServer, "lab": authServer,
	}, auth)

	prod := config.Clusters["prod"]
	assert.Equal(t, KubeconfigConfig{Path: "~/.kube/config", Context: "prod-admin"}, *prod.Kubeconfig.Get())
	assert.InDelta(t, 100, prod.QPS, 0)
	assert.Equal(t, 200, prod.Burst)
	laptop := config.Clusters["laptop"]
	assert.Equal(t, KubeconfigConfig{}, *laptop.Kubeconfig.Get())
	edge, lab := config.Clusters["edge"], config.Clusters["lab"]
	assert.Equal(t, ServerConfig{
		URL: "https://edge.example.com:6443", TokenFile: "/var/run/secrets/edge/token",
		TLS: TLSConfig{CAFile: "/var/run/secrets/edge/ca.crt", ServerName: "kubernetes"},
	}, *edge.Server.Get())
	assert.Equal(t, TLSConfig{CAPem: "A", CertPem: "B", KeyPem: "C"}, lab.Server.Get().TLS)

	assert.InDelta(t, 30, config.QPS, 0)
	assert.Equal(t, 60, config.Burst)
	assert.Equal(t, LookupsConfig{
		Timeout: time.Second, QPS: 10, Burst: 20, CacheSize: 1 << 20, TTL: time.Minute, NegativeTTL: 5 * time.Second,
		Objects: ObjectsConfig{CacheSize: 2 << 20, TTL: 10 * time.Second, MaxSize: 1000, MaxConcurrent: 2},
	}, config.Lookups)
	assert.Equal(t, DiscoveryConfig{
		Timeout: 5 * time.Second, RefreshInterval: 10 * time.Minute, MinInterval: 20 * time.Second,
		Retry: RetryConfig{InitialInterval: 2 * time.Second, MaxInterval: time.Minute},
	}, config.Discovery)
}

func TestConfigNamesEveryMistakeAtOnce(t *testing.T) {
	config := loadConfig(t, "kube_clusters/wrong")
	err := confmap.Validate(config)
	for _, want := range []string{
		`cluster_name: is for use without clusters`,
		`cluster_name: a cluster's name must be 1 to 253 printable ASCII characters without spaces, got "a name"`,
		`clusters: a cluster's name must be`,
		`clusters::two words: auth_type: must be among serviceAccount, kubeConfig, server, got "kubeconfig"`,
		`qps: must be positive, or 0 for that of all clusters, got -1`,
		`burst: must be positive, or 0 for that of all clusters, got -1`,
		`clusters::both: server: has no meaning with auth_type kubeConfig`,
		`clusters::both::server: url: must be the API server's https or http URL, without a user`,
		`clusters::none: server: must be set with auth_type server`,
		`clusters::half::server: set one of token and token_file`,
		`tls: set one of ca_file and ca_pem`,
		`a client certificate needs both cert_file or cert_pem, and key_file or key_pem`,
		`insecure_skip_verify: has no meaning with ca_file or ca_pem`,
		`qps: must be positive, got 0`,
		`burst: must be positive, got 0`,
		`lookups: timeout: must be positive, got 0s`,
		`cache_size: must be at least 1048576 bytes, got 10`,
		`ttl: must be positive`,
		`negative_ttl: must be positive`,
		`lookups::objects: ttl: must be positive, got 0s`,
		`max_size: must be positive, got 0`,
		`max_concurrent: must be positive, got -1`,
		`cache_size: must be at least 1048576 bytes, got 20`,
		`discovery: timeout: must be positive`,
		`refresh_interval: must be at least min_interval (2s), got 1s`,
		`discovery::retry: initial_interval: must be positive`,
		`max_interval: must be at least initial_interval`,
	} {
		require.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "secret")
}

func TestSecretsAreNotPrinted(t *testing.T) {
	config := &Config{Clusters: map[string]ClusterConfig{}}
	var cluster ClusterConfig
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"server": map[string]any{
		"url": "https://x", "token": "hush-token", "tls": map[string]any{"key_pem": "hush-key", "ca_pem": "hush-ca", "cert_pem": "hush-cert"},
	}}).Unmarshal(&cluster))
	config.Clusters["x"] = cluster
	printed := confmap.New()
	require.NoError(t, printed.Marshal(config))
	assert.NotContains(t, fmt.Sprint(printed.ToStringMap()), "hush")
	assert.NotContains(t, fmt.Sprintf("%v %+v", cluster.Server.Get(), *cluster.Server.Get()), "hush")
}
