// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// minCacheSize leaves room for some objects of the largest kind.
const minCacheSize = 1 << 20

// Validate reports everything that is wrong with what is outside the parts.
func (c *Config) Validate() error {
	var errs []error
	if c.ClusterName != "" {
		if len(c.Clusters) > 0 {
			errs = append(errs, errors.New("cluster_name: is for use without clusters, whose keys are their names"))
		}
		errs = append(errs, validateName("cluster_name", c.ClusterName))
	}
	for name := range c.Clusters {
		errs = append(errs, validateName("clusters", name))
	}
	return errors.Join(append(errs, positive("qps", c.QPS), positive("burst", c.Burst))...)
}

// Validate reports everything that is wrong with the cluster at once.
func (c *ClusterConfig) Validate() error {
	var errs []error
	if known := []string{authServiceAccount, authKubeconfig, authServer}; c.AuthType != "" && !slices.Contains(known, c.AuthType) {
		errs = append(errs, fmt.Errorf("auth_type: must be among %s, got %q", strings.Join(known, ", "), c.AuthType))
	} else {
		if c.Kubeconfig.HasValue() && c.authType() != authKubeconfig {
			errs = append(errs, fmt.Errorf("kubeconfig: has no meaning with auth_type %s", c.authType()))
		}
		if c.Server.HasValue() && c.authType() != authServer {
			errs = append(errs, fmt.Errorf("server: has no meaning with auth_type %s", c.authType()))
		}
		if !c.Server.HasValue() && c.authType() == authServer {
			errs = append(errs, errors.New("server: must be set with auth_type server"))
		}
	}
	if c.QPS < 0 {
		errs = append(errs, fmt.Errorf("qps: must be positive, or 0 for that of all clusters, got %v", c.QPS))
	}
	if c.Burst < 0 {
		errs = append(errs, fmt.Errorf("burst: must be positive, or 0 for that of all clusters, got %d", c.Burst))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the server at once.
func (c *ServerConfig) Validate() error {
	var errs []error
	if u, err := url.Parse(c.URL); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		// The URL is left out: it might hold a password.
		errs = append(errs, errors.New("url: must be the API server's https or http URL, without a user"))
	}
	if c.Token != "" && c.TokenFile != "" {
		errs = append(errs, errors.New("set one of token and token_file"))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the TLS configuration at once.
func (c *TLSConfig) Validate() error {
	var errs []error
	either := func(name, file string, pem bool) bool {
		if file != "" && pem {
			errs = append(errs, fmt.Errorf("set one of %s_file and %s_pem", name, name))
		}
		return file != "" || pem
	}
	ca := either("ca", c.CAFile, c.CAPem != "")
	cert := either("cert", c.CertFile, c.CertPem != "")
	key := either("key", c.KeyFile, c.KeyPem != "")
	if cert != key {
		errs = append(errs, errors.New("a client certificate needs both cert_file or cert_pem, and key_file or key_pem"))
	}
	if ca && c.InsecureSkipVerify {
		errs = append(errs, errors.New("insecure_skip_verify: has no meaning with ca_file or ca_pem"))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the look-ups' configuration at once.
func (c *LookupsConfig) Validate() error {
	errs := []error{
		positiveTime("timeout", c.Timeout), positive("qps", c.QPS), positive("burst", c.Burst),
		positiveTime("ttl", c.TTL), positiveTime("negative_ttl", c.NegativeTTL),
	}
	if c.CacheSize < minCacheSize {
		errs = append(errs, fmt.Errorf("cache_size: must be at least %d bytes, got %d", minCacheSize, c.CacheSize))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the configuration of the look-ups of whole objects at once.
func (c *ObjectsConfig) Validate() error {
	errs := []error{positiveTime("ttl", c.TTL), positive("max_size", c.MaxSize), positive("max_concurrent", c.MaxConcurrent)}
	if c.CacheSize < minCacheSize {
		errs = append(errs, fmt.Errorf("cache_size: must be at least %d bytes, got %d", minCacheSize, c.CacheSize))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the configuration of discovery at once.
func (c *DiscoveryConfig) Validate() error {
	errs := []error{positiveTime("timeout", c.Timeout), positiveTime("min_interval", c.MinInterval)}
	if c.RefreshInterval < c.MinInterval {
		errs = append(errs, fmt.Errorf("refresh_interval: must be at least min_interval (%s), got %s", c.MinInterval, c.RefreshInterval))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the back-off at once.
func (c *RetryConfig) Validate() error {
	errs := []error{positiveTime("initial_interval", c.InitialInterval)}
	if c.MaxInterval < c.InitialInterval {
		errs = append(errs, fmt.Errorf("max_interval: must be at least initial_interval (%s), got %s", c.InitialInterval, c.MaxInterval))
	}
	return errors.Join(errs...)
}

func validateName(key, name string) error {
	if err := identity.ValidateCluster(name); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func positive[N int | int64 | float32 | float64](key string, n N) error {
	if n > 0 {
		return nil
	}
	return fmt.Errorf("%s: must be positive, got %v", key, n)
}

func positiveTime(key string, d time.Duration) error {
	if d > 0 {
		return nil
	}
	return fmt.Errorf("%s: must be positive, got %s", key, d)
}
