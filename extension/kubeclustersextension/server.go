// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// fromServer returns the configuration of a server that is described here and not in a kubeconfig.
func fromServer(key string, server *ServerConfig) (*rest.Config, error) {
	tls := server.TLS
	config := &rest.Config{
		Host:            server.URL,
		BearerToken:     string(server.Token),
		BearerTokenFile: server.TokenFile,
		TLSClientConfig: rest.TLSClientConfig{
			Insecure:   tls.InsecureSkipVerify,
			ServerName: tls.ServerName,
			CAFile:     tls.CAFile, CAData: inline(string(tls.CAPem)),
			CertFile: tls.CertFile, CertData: inline(string(tls.CertPem)),
			KeyFile: tls.KeyFile, KeyData: inline(string(tls.KeyPem)),
		},
	}
	errs := []error{
		readable(key+"::token_file", server.TokenFile),
		readable(key+"::tls::ca_file", tls.CAFile),
		readable(key+"::tls::cert_file", tls.CertFile),
		readable(key+"::tls::key_file", tls.KeyFile),
	}
	return config, errors.Join(errs...)
}

func inline(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

// readable checks a file that is configured. Clients read it only later, and some say nothing when they cannot.
func readable(key, path string) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return fmt.Errorf("%s: %s is empty", key, path)
	}
	return nil
}

// expandHome replaces a leading ~/, as shells do.
func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, rest), err
}

func fileNames(rules *clientcmd.ClientConfigLoadingRules) string {
	return strings.Join(rules.GetLoadingPrecedence(), ", ")
}

func keys[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
