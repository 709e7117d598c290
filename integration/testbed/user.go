// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// User is somebody whom the cluster knows by a token.
type User struct {
	Name, UID string
	Groups    []string
	Token     string
	// Kubeconfig is the path of a file with the user's access.
	Kubeconfig string
	// Config is not limited in its rate of requests. Copy it before changing it.
	Config *rest.Config
	Client kubernetes.Interface

	clusterAdmin bool
	httpClient   *http.Client
}

func newUser(name string, clusterAdmin bool, groups ...string) *User {
	return &User{Name: name, UID: "uid-of-" + name, Groups: groups, Token: rand.Text(), clusterAdmin: clusterAdmin}
}

// connect fills in what depends on where the cluster is.
func (u *User) connect(dir, server string, ca []byte) error {
	u.Kubeconfig = filepath.Join(dir, strings.ReplaceAll(u.Name, ":", "-")+".kubeconfig")
	if err := writeKubeconfig(u.Kubeconfig, server, ca, u.Token); err != nil {
		return err
	}
	u.Config = &rest.Config{
		Host:            server,
		BearerToken:     u.Token,
		TLSClientConfig: rest.TLSClientConfig{CAData: ca},
		UserAgent:       "kelemetry-testbed/" + u.Name,
		QPS:             -1,
	}
	var err error
	if u.httpClient, err = rest.HTTPClientFor(u.Config); err != nil {
		return fmt.Errorf("make a client for %s: %w", u.Name, err)
	}
	if u.Client, err = kubernetes.NewForConfigAndClient(u.Config, u.httpClient); err != nil {
		return fmt.Errorf("make a client for %s: %w", u.Name, err)
	}
	return nil
}

func (u *User) disconnect() {
	if u.httpClient != nil {
		utilnet.CloseIdleConnectionsFor(u.httpClient.Transport)
	}
}

func writeKubeconfig(path, server string, ca []byte, token string) error {
	const name = "testbed"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write a kubeconfig: %w", err)
	}
	return nil
}

func joinGroups(groups []string) string { return strings.Join(groups, ",") }
