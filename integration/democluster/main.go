// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command democluster is a cluster to play with: it starts a control plane with simulated nodes, and bin/kelemetry with
// config-examples/standalone.yaml wired to it, says how to use both, and stops everything on Ctrl-C. `make demo-cluster` calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/template"
	"time"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

const (
	config  = "config-examples/standalone.yaml"
	cluster = "demo"
	// observer is the user that Kelemetry is.
	observer = "kelemetry"
)

type options struct {
	// root is the folder of the repository.
	root string
	// webhook, pages, plugin, store, health, doctor and metrics are the addresses to listen on.
	webhook, pages, plugin, store, health, doctor, metrics string
	// nodes is how many simulated nodes there are.
	nodes int
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", ".", "`folder` of the repository")
	flag.StringVar(&o.webhook, "webhook", "127.0.0.1:8080", "`address` of the audit webhook")
	flag.StringVar(&o.pages, "pages", "127.0.0.1:8081", "`address` of trees and redirects")
	flag.StringVar(&o.plugin, "plugin", "127.0.0.1:17271", "`address` for a Jaeger to ask")
	flag.StringVar(&o.store, "store", "127.0.0.1:17272", "`address` of the store")
	flag.StringVar(&o.health, "health", "127.0.0.1:13133", "`address` of the health check")
	flag.StringVar(&o.doctor, "doctor", "127.0.0.1:13135", "`address` of the page that says why there is nothing to see")
	flag.StringVar(&o.metrics, "metrics", "127.0.0.1:8888", "`address` of kelemetry's own metrics")
	flag.IntVar(&o.nodes, "nodes", 2, "how many nodes to simulate")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "kelemetry-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	fmt.Fprintln(out, "starting a control plane; the first time it is built, which takes some minutes")
	plane, err := testbed.StartCluster(ctx, testbed.Options{
		Dir:   dir,
		Nodes: o.nodes,
		Users: []testbed.UserSpec{{Name: observer, ClusterAdmin: true}},
		Audit: testbed.Audit{Webhook: testbed.AuditWebhook{URL: "http://" + o.webhook + "/audit", InitialBackoff: time.Second}},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()

	serveMetrics, err := collector.MetricsAt(o.metrics)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	fmt.Fprintln(out, "starting bin/kelemetry with", config)
	kelemetry, err := collector.Start(ctx, collector.Options{
		Root:   o.root,
		Config: config,
		Ready:  collector.Watching,
		Set:    []string{serveMetrics, "extensions.doctor.metrics_url=http://" + o.metrics + "/metrics"},
		Env: []string{
			"KUBECONFIG=" + plane.Users[observer].Kubeconfig, "KELEMETRY_CLUSTER=" + cluster,
			"KELEMETRY_STATE=" + filepath.Join(dir, "state"), "KELEMETRY_TRACES=" + filepath.Join(dir, "traces"),
			"KELEMETRY_WEBHOOK=" + o.webhook, "KELEMETRY_HTTP=" + o.pages, "KELEMETRY_PLUGIN=" + o.plugin, "KELEMETRY_STORE=" + o.store,
			"KELEMETRY_HEALTH=" + o.health, "KELEMETRY_DOCTOR=" + o.doctor,
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kelemetry.Stop()) }()

	if err := instructions.Execute(out, map[string]any{
		"Kubeconfig": plane.Alice.Kubeconfig, "URL": plane.URL, "Token": plane.Alice.Token, "Deployment": deployment, "Pages": o.pages, "Plugin": o.plugin,
		"Doctor": o.doctor,
	}); err != nil {
		return err
	}
	if err := kelemetry.Wait(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nstopping")
	return nil
}

var instructions = template.Must(template.New("instructions").Parse(`
A cluster with simulated nodes is up, and Kelemetry watches it. You are alice:

  export KUBECONFIG={{.Kubeconfig}}
  kubectl create deployment hello --image=example.com/hello:1 --replicas=2
  kubectl scale deployment hello --replicas=4
  kubectl set image deployment hello hello=example.com/hello:2

or, without kubectl:

  curl -k {{.URL}}/apis/apps/v1/namespaces/default/deployments \
    -H 'Authorization: Bearer {{.Token}}' -H 'Content-Type: application/json' -d '{{.Deployment}}'

What came of it, some seconds later:

  curl 'http://{{.Pages}}/trace?resource=deployments&namespace=default&name=hello&mode=tracing+%5Bfull+tree%5D&format=text&brief=true'

If there is nothing to see, this says why:

  curl http://{{.Doctor}}

For Jaeger's page, start a Jaeger v2 with deploy/jaeger/query.yaml; it asks {{.Plugin}}.
Everything stays up until Ctrl-C, and nothing stays behind then.
`))

// deployment is what the line for curl creates.
const deployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"hello"},"spec":{"replicas":2,` +
	`"selector":{"matchLabels":{"app":"hello"}},"template":{"metadata":{"labels":{"app":"hello"}},` +
	`"spec":{"containers":[{"name":"hello","image":"example.com/hello:1"}]}}}}`
