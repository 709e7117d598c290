// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command run shows Kelemetry at work: it starts bin/kelemetry with config-examples/demo.yaml, which takes what was recorded of a
// real control plane into a store of its own, prints what came out as a tree, and keeps it running, with the webhook open, until
// Ctrl-C. `make run` calls it.
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
)

const config = "config-examples/demo.yaml"

type options struct {
	// root is the folder of the repository.
	root string
	// recording is the folder of the recording, relative to root.
	recording string
	// namespace and name are those of the Deployment that is shown.
	namespace, name string
	// webhook, pages, plugin, store and otlp are the addresses to listen on.
	webhook, pages, plugin, store, otlp string
	// once prints the tree and ends.
	once bool
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", ".", "`folder` of the repository")
	flag.StringVar(&o.recording, "recording", "integration/testdata/recording", "`folder` of the recording, relative to root")
	flag.StringVar(&o.namespace, "namespace", "demo", "`namespace` of the Deployment to show")
	flag.StringVar(&o.name, "name", "demo", "`name` of the Deployment to show")
	flag.StringVar(&o.webhook, "webhook", "127.0.0.1:8080", "`address` of the audit webhook")
	flag.StringVar(&o.pages, "pages", "127.0.0.1:8081", "`address` of trees and redirects")
	flag.StringVar(&o.plugin, "plugin", "127.0.0.1:17271", "`address` for a Jaeger to ask")
	flag.StringVar(&o.store, "store", "127.0.0.1:17272", "`address` of the store")
	flag.StringVar(&o.otlp, "otlp", "127.0.0.1:4318", "`address` for spans by OTLP over HTTP")
	flag.BoolVar(&o.once, "once", false, "print the tree and end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	recording, err := filepath.Abs(filepath.Join(o.root, o.recording))
	if err != nil {
		return err
	}
	audit := filepath.Join(recording, "audit.json.gz")
	recorded, err := recordedAt(audit)
	if err != nil {
		return fmt.Errorf("the recording: %w", err)
	}
	traces, err := os.MkdirTemp("", "kelemetry-run-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(traces)) }()

	fmt.Fprintln(out, "starting bin/kelemetry with", config)
	kelemetry, err := collector.Start(ctx, collector.Options{
		Root:   o.root,
		Config: config,
		Set:    []string{collector.NoMetrics},
		Env: []string{
			"KELEMETRY_AUDIT_FILES=" + audit, "KELEMETRY_TRACES=" + traces, "KELEMETRY_OTLP=" + o.otlp,
			"KELEMETRY_WEBHOOK=" + o.webhook, "KELEMETRY_HTTP=" + o.pages, "KELEMETRY_PLUGIN=" + o.plugin, "KELEMETRY_STORE=" + o.store,
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kelemetry.Stop()) }()

	if err := postSpans(ctx, "http://"+o.otlp+"/v1/traces", filepath.Join(recording, "spans.json.gz")); err != nil {
		return fmt.Errorf("the recording: %w", err)
	}

	page := o.page(recorded)
	tree, err := awaitTree(ctx, page+"&format=text&brief=true")
	if err != nil {
		return fmt.Errorf("%w\nthe end of kelemetry's log:\n%s", err, kelemetry.Tail())
	}
	fmt.Fprintf(out, "\n%s", tree)
	if o.once {
		return nil
	}
	now := time.Now().UTC()
	stamp := now.Format("2006-01-02T15:04:05.000000Z")
	if err := instructions.Execute(out, map[string]any{
		"Page": page, "Pages": o.pages, "Plugin": o.plugin, "Webhook": o.webhook, "Event": fmt.Sprintf(sampleEvent, now.Unix(), stamp, stamp),
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
That was recorded on a real control plane, from its audit log, its Events and a watch
of its objects. Everything stays up until Ctrl-C:

  this tree again   curl '{{.Page}}&format=text&brief=true'
  with everything   curl '{{.Page}}&format=text'
  as JSON           {{.Page}}
  in Jaeger         start a Jaeger v2 with deploy/jaeger/query.yaml; it asks {{.Plugin}}

Live input: point a kube-apiserver's audit webhook at http://{{.Webhook}}/audit/<cluster>
(config-examples/kube-apiserver/ has its two files), or post an event by hand:

  curl http://{{.Webhook}}/audit/live -d '{{.Event}}'
  curl 'http://{{.Pages}}/trace?cluster=live&group=apps&resource=deployments&namespace=default&name=hello&format=text'

For a cluster of your own: KUBECONFIG=… make run CONFIG=standalone
`))

// sampleEvent is the least that makes a span.
const sampleEvent = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"level":"Metadata","auditID":"by-hand-%d",` +
	`"stage":"ResponseComplete","verb":"patch","requestURI":"/apis/apps/v1/namespaces/default/deployments/hello","user":{"username":"me"},` +
	`"objectRef":{"resource":"deployments","namespace":"default","name":"hello","apiGroup":"apps","apiVersion":"v1"},` +
	`"responseStatus":{"code":200},"requestReceivedTimestamp":"%s","stageTimestamp":"%s"}]}`
