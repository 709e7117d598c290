// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package servers

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// Server names one program.
type Server string

const (
	Etcd              Server = "etcd"
	APIServer         Server = "kube-apiserver"
	ControllerManager Server = "kube-controller-manager"
	Scheduler         Server = "kube-scheduler"
	Kwok              Server = "kwok"
	Jaeger            Server = "jaeger"
	Kafka             Server = "kafka"
)

// recipe says how a server is built.
type recipe struct {
	// module is the folder of the nested module, pkg the main package in it.
	module, pkg string
	// versionOf is the Go module whose version the program must report, or empty.
	versionOf string
	// keep lists folders of pkg's Go module that the program needs at run time, as source → name beside the binary.
	keep map[string]string
}

var recipes = map[Server]recipe{
	Etcd:              {module: "etcd", pkg: "go.etcd.io/etcd/server/v3"},
	APIServer:         {module: "kubernetes", pkg: "k8s.io/kubernetes/cmd/kube-apiserver", versionOf: "k8s.io/kubernetes"},
	ControllerManager: {module: "kubernetes", pkg: "k8s.io/kubernetes/cmd/kube-controller-manager", versionOf: "k8s.io/kubernetes"},
	Scheduler:         {module: "kubernetes", pkg: "k8s.io/kubernetes/cmd/kube-scheduler", versionOf: "k8s.io/kubernetes"},
	Kwok:              {module: "kwok", pkg: "sigs.k8s.io/kwok/cmd/kwok", keep: map[string]string{"kustomize/stage": "stage"}},
	Jaeger:            {module: "jaeger", pkg: "github.com/jaegertracing/jaeger/cmd/jaeger"},
	Kafka:             {module: "kafka", pkg: "github.com/kelemetry/kelemetry/integration/servers/kafka"},
}

// All lists every server in the order in which they are best built: what a cluster needs first.
func All() []Server {
	return []Server{Etcd, APIServer, ControllerManager, Scheduler, Kwok, Jaeger, Kafka}
}

// Path returns the path of a server's binary, and builds it if the cache does not have it: minutes for some on the first call,
// announced on standard error. It may be called from several processes at once: one builds, the others wait for it.
//
// It finds the repository from the working directory. The binaries are kept below .cache/ there, or below the folder that
// KELEMETRY_CACHE names.
func Path(ctx context.Context, s Server) (string, error) {
	root, err := findRoot()
	if err != nil {
		return "", err
	}
	return store{root: root, cache: cacheDir(root), recipes: recipes, log: os.Stderr}.path(ctx, s)
}

// Build makes sure that the cache has the named servers, all if none is named, one after the other: each may need gigabytes to link.
func Build(ctx context.Context, names ...Server) error {
	if len(names) == 0 {
		names = All()
	}
	for _, s := range names {
		if !slices.Contains(All(), s) {
			return fmt.Errorf("unknown server %q: have %v", s, All())
		}
	}
	for _, s := range names {
		if _, err := Path(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
