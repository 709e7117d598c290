// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
)

// How to authenticate; the names are those of the OpenTelemetry Kubernetes components, but for authServer.
const (
	authServiceAccount = "serviceAccount"
	authKubeconfig     = "kubeConfig"
	authServer         = "server"
)

// Config is the configuration of the extension. All of it has a default: without Clusters there is one, the cluster that
// the collector runs in or else the kubeconfig's current one.
type Config struct {
	// ClusterName is the name of the one cluster that there is without Clusters.
	ClusterName string `mapstructure:"cluster_name"`

	// Clusters are the clusters by name.
	Clusters map[string]ClusterConfig `mapstructure:"clusters"`

	// QPS is how many requests a second each client made for another component may make. Look-ups have a limit of their own.
	QPS float32 `mapstructure:"qps"`

	// Burst is how many requests may exceed QPS for a moment.
	Burst int `mapstructure:"burst"`

	// Lookups configures the look-ups of objects, for each cluster.
	Lookups LookupsConfig `mapstructure:"lookups"`

	// Discovery configures how the types that an API server serves are kept up to date.
	Discovery DiscoveryConfig `mapstructure:"discovery"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ClusterConfig says how to reach one cluster.
type ClusterConfig struct {
	// AuthType is where address and credentials come from: serviceAccount, kubeConfig or server. If it is empty, it is told
	// by which of Kubeconfig and Server is set; with neither, it is serviceAccount.
	AuthType string `mapstructure:"auth_type"`

	// Kubeconfig reads them from a kubeconfig file.
	Kubeconfig configoptional.Optional[KubeconfigConfig] `mapstructure:"kubeconfig"`

	// Server has them here.
	Server configoptional.Optional[ServerConfig] `mapstructure:"server"`

	// QPS overrides that of all clusters unless it is 0.
	QPS float32 `mapstructure:"qps"`

	// Burst overrides that of all clusters unless it is 0.
	Burst int `mapstructure:"burst"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// KubeconfigConfig names an entry of a kubeconfig file.
type KubeconfigConfig struct {
	// Path is the file. If it is empty, it is found as kubectl does: $KUBECONFIG, or ~/.kube/config.
	Path string `mapstructure:"path"`

	// Context is the context to use; the file's current one if empty.
	Context string `mapstructure:"context"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ServerConfig is an API server's address with credentials.
type ServerConfig struct {
	// URL of the API server.
	URL string `mapstructure:"url"`

	// Token is a bearer token.
	Token configopaque.String `mapstructure:"token"`

	// TokenFile holds a bearer token. It is read again when it may have changed.
	TokenFile string `mapstructure:"token_file"`

	// TLS configures TLS; its options are a part of those of the collector's configtls.
	TLS TLSConfig `mapstructure:"tls"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// TLSConfig is the part of configtls that Kubernetes clients know.
type TLSConfig struct {
	// CAFile holds the certificates of the authority that signed the server's; the system's authorities if there is none.
	CAFile string `mapstructure:"ca_file"`

	// CAPem is in place of CAFile.
	CAPem configopaque.String `mapstructure:"ca_pem"`

	// CertFile holds the client's certificate.
	CertFile string `mapstructure:"cert_file"`

	// CertPem is in place of CertFile.
	CertPem configopaque.String `mapstructure:"cert_pem"`

	// KeyFile holds the key of the client's certificate.
	KeyFile string `mapstructure:"key_file"`

	// KeyPem is in place of KeyFile.
	KeyPem configopaque.String `mapstructure:"key_pem"`

	// ServerName is the name that the server's certificate must have, if it is not the one in URL.
	ServerName string `mapstructure:"server_name_override"`

	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool `mapstructure:"insecure_skip_verify"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// LookupsConfig configures the look-ups of objects and of their metadata. Each cluster has a limit and caches of its own.
type LookupsConfig struct {
	// Timeout bounds a look-up.
	Timeout time.Duration `mapstructure:"timeout"`

	// QPS is how many look-ups a second may ask the API server. One that exceeds it fails at once; it does not wait.
	QPS float64 `mapstructure:"qps"`

	// Burst is how many may exceed QPS for a moment.
	Burst int `mapstructure:"burst"`

	// CacheSize bounds the memory of the cache of metadata, in bytes. The entries not used for longest give way.
	CacheSize int64 `mapstructure:"cache_size"`

	// TTL is how long metadata is taken from the cache.
	TTL time.Duration `mapstructure:"ttl"`

	// NegativeTTL is how long it is remembered that there is no such object, or that it may not be read.
	NegativeTTL time.Duration `mapstructure:"negative_ttl"`

	// Objects configures the look-ups of whole objects.
	Objects ObjectsConfig `mapstructure:"objects"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ObjectsConfig configures the look-ups of whole objects. Limit, timeout and NegativeTTL are those of LookupsConfig.
type ObjectsConfig struct {
	// CacheSize bounds the memory of the cache of objects, in bytes. The entries not used for longest give way.
	CacheSize int64 `mapstructure:"cache_size"`

	// TTL is how long an object is taken from the cache.
	TTL time.Duration `mapstructure:"ttl"`

	// MaxSize is how many bytes an object may have, as the API server sends it. A larger one is not looked up.
	MaxSize int64 `mapstructure:"max_size"`

	// MaxConcurrent is how many objects may be asked for at the same time. Further ones wait, within the timeout.
	MaxConcurrent int `mapstructure:"max_concurrent"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DiscoveryConfig configures how the types that an API server serves are kept up to date.
type DiscoveryConfig struct {
	// Timeout bounds one refresh.
	Timeout time.Duration `mapstructure:"timeout"`

	// RefreshInterval is the time from one refresh to the next.
	RefreshInterval time.Duration `mapstructure:"refresh_interval"`

	// MinInterval is the least time between refreshes, however often somebody asks for types that are not known.
	MinInterval time.Duration `mapstructure:"min_interval"`

	// Retry configures how an API server that does not answer is tried again: for ever.
	Retry RetryConfig `mapstructure:"retry"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RetryConfig configures an exponential back-off without end.
type RetryConfig struct {
	// InitialInterval is the time to wait after the first failure.
	InitialInterval time.Duration `mapstructure:"initial_interval"`

	// MaxInterval bounds the time to wait.
	MaxInterval time.Duration `mapstructure:"max_interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func createDefaultConfig() component.Config {
	return &Config{
		QPS:   20,
		Burst: 40,
		Lookups: LookupsConfig{
			Timeout:     2 * time.Second,
			QPS:         50,
			Burst:       100,
			CacheSize:   32 << 20,
			TTL:         5 * time.Minute,
			NegativeTTL: 30 * time.Second,
			Objects:     ObjectsConfig{CacheSize: 8 << 20, TTL: 30 * time.Second, MaxSize: 1 << 20, MaxConcurrent: 4},
		},
		Discovery: DiscoveryConfig{
			Timeout:         10 * time.Second,
			RefreshInterval: 30 * time.Minute,
			MinInterval:     10 * time.Second,
			Retry:           RetryConfig{InitialInterval: time.Second, MaxInterval: 30 * time.Second},
		},
	}
}

// Unmarshal lets "kubeconfig:" alone mean the default one.
func (c *ClusterConfig) Unmarshal(conf *confmap.Conf) error {
	c.Kubeconfig = configoptional.Default(KubeconfigConfig{})
	c.Server = configoptional.Default(ServerConfig{})
	return conf.Unmarshal(c)
}

// authType is AuthType, or what it is told by.
func (c *ClusterConfig) authType() string {
	switch {
	case c.AuthType != "":
		return c.AuthType
	case c.Kubeconfig.HasValue():
		return authKubeconfig
	case c.Server.HasValue():
		return authServer
	default:
		return authServiceAccount
	}
}
