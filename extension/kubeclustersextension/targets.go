// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // what kubeconfigs may name
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// inClusterName is what the cluster that the collector runs in is called unless the configuration does: nothing in a
// cluster knows its name. It is the name that kubeadm gives.
const inClusterName = "kubernetes"

// target is a cluster with all that is needed to reach it.
type target struct {
	name string
	rest *rest.Config
	// nameFrom says where a name that nobody configured is from.
	nameFrom string
}

// targets reads the files that the configuration names, and asks no server. inCluster is rest.InClusterConfig.
// Each error names the key of the configuration that it is about.
func targets(config *Config, inCluster func() (*rest.Config, error)) ([]target, error) {
	if len(config.Clusters) == 0 {
		one, err := automatic(config.ClusterName, inCluster)
		if err != nil {
			return nil, err
		}
		limit(one.rest, config.QPS, config.Burst)
		return []target{one}, nil
	}
	var all []target
	var errs []error
	for name, cluster := range config.Clusters {
		key := "clusters::" + name
		found, err := configured(key, &cluster, inCluster)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		limit(found, cmp.Or(cluster.QPS, config.QPS), cmp.Or(cluster.Burst, config.Burst))
		all = append(all, target{name: name, rest: found})
	}
	slices.SortFunc(all, func(a, b target) int { return cmp.Compare(a.name, b.name) })
	return all, errors.Join(errs...)
}

func limit(config *rest.Config, qps float32, burst int) { config.QPS, config.Burst = qps, burst }

func configured(key string, cluster *ClusterConfig, inCluster func() (*rest.Config, error)) (*rest.Config, error) {
	switch cluster.authType() {
	case authKubeconfig:
		config, _, err := fromKubeconfig(cluster.Kubeconfig.Get())
		if err != nil {
			return nil, fmt.Errorf("%s::kubeconfig::%w", key, err)
		}
		return config, nil
	case authServer:
		return fromServer(key+"::server", cluster.Server.Get())
	default:
		config, err := inCluster()
		if err != nil {
			return nil, fmt.Errorf("%s::auth_type: %s: %w", key, authServiceAccount, err)
		}
		return config, nil
	}
}

// automatic finds the one cluster that is there when none is configured.
func automatic(name string, inCluster func() (*rest.Config, error)) (target, error) {
	config, err := inCluster()
	switch {
	case err == nil:
		if name == "" {
			return target{name: inClusterName, rest: config, nameFrom: "the default for the cluster that the collector runs in"}, nil
		}
		return target{name: name, rest: config}, nil
	case !errors.Is(err, rest.ErrNotInCluster):
		return target{}, fmt.Errorf("clusters: none is configured, and the service account of this Pod cannot be used: %w", err)
	}
	config, inFile, err := fromKubeconfig(nil)
	if err != nil {
		return target{}, fmt.Errorf("clusters: none is configured, the collector does not run in a cluster, and the default kubeconfig cannot be used: %w", err)
	}
	if name != "" {
		return target{name: name, rest: config}, nil
	}
	if err := validateName("cluster_name: must be set, because the kubeconfig's name cannot be used", inFile); err != nil {
		return target{}, err
	}
	return target{name: inFile, rest: config, nameFrom: "the kubeconfig's name of the cluster"}, nil
}

// fromKubeconfig returns the configuration of a context, and its cluster's name in the file. Nil stands for the default
// file's current context. Its errors begin with the key below kubeconfig.
func fromKubeconfig(which *KubeconfigConfig) (*rest.Config, string, error) {
	if which == nil {
		which = &KubeconfigConfig{}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if which.Path != "" {
		path, err := expandHome(which.Path)
		if err != nil {
			return nil, "", fmt.Errorf("path: %w", err)
		}
		rules.ExplicitPath = path
	}
	file, err := rules.Load()
	if err != nil {
		return nil, "", fmt.Errorf("path: %w", err)
	}
	if len(file.Contexts) == 0 {
		return nil, "", fmt.Errorf("path: no context in %s", fileNames(rules))
	}
	name := cmp.Or(which.Context, file.CurrentContext)
	context, ok := file.Contexts[name]
	switch {
	case name == "":
		return nil, "", fmt.Errorf("context: %s has no current context: set one of %s", fileNames(rules), keys(file.Contexts))
	case !ok:
		return nil, "", fmt.Errorf("context: no context %q in %s, which has %s", name, fileNames(rules), keys(file.Contexts))
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*file, name, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("context: %q: %w", name, err)
	}
	return config, context.Cluster, nil
}
