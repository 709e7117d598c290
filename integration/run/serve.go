// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"text/template"
	"time"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

var instructions = template.Must(template.New("instructions").Parse(`
That was the recorded audit log. Everything stays up until Ctrl-C:

  this tree again       curl http://{{.Trees}}/{{.Trace}}
  all traces            curl http://{{.Trees}}/
  as Jaeger has it      curl {{.Jaeger}}/api/traces/{{.Trace}}
  Jaeger's page         {{.Jaeger}}/trace/{{.Trace}}
{{- if .Started}}
                        (only a placeholder: a Jaeger built from its Go module has its API but not its page. To see the page, run a
                        released Jaeger and call  make run RUN_ARGS='-jaeger http://localhost:16686 -otlp localhost:4317')
{{- end}}

Live input: point a kube-apiserver's audit webhook at http://{{.Webhook}}/audit/<cluster>
(config-examples/kube-apiserver/ has its two files), or post an event by hand:

  curl http://{{.Webhook}}/audit/live -d '{{.Event}}'
  curl http://{{.Trees}}/
`))

// sampleEvent is the least that makes a span.
const sampleEvent = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"level":"Metadata","auditID":"by-hand-%d",` +
	`"stage":"ResponseComplete","verb":"patch","requestURI":"/apis/apps/v1/namespaces/default/deployments/hello","user":{"username":"me"},` +
	`"objectRef":{"resource":"deployments","namespace":"default","name":"hello","apiGroup":"apps","apiVersion":"v1"},` +
	`"responseStatus":{"code":200},"requestReceivedTimestamp":"%s","stageTimestamp":"%s"}]}`

// serve keeps everything running until the context ends, and answers requests for trees.
func serve(
	ctx context.Context, o options, query testbed.JaegerClient, trace testbed.Trace, kelemetry *collector.Collector, out io.Writer,
) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.pages)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: pages(query), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	now := time.Now().UTC()
	stamp := now.Format("2006-01-02T15:04:05.000000Z")
	if err := instructions.Execute(out, map[string]any{
		"Trees": listener.Addr(), "Trace": trace.ID, "Jaeger": o.jaeger, "Started": o.started, "Webhook": o.webhook,
		"Event": fmt.Sprintf(sampleEvent, now.Unix(), stamp, stamp),
	}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "\nstopping")
		return nil
	case <-kelemetry.Exited():
		return errors.New("kelemetry ended by itself")
	case err := <-failed:
		return err
	}
}

// pages serves the list of traces at / and the tree of one at /<trace id>, as text for a terminal.
func pages(query testbed.JaegerClient) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		traces, err := allTraces(r.Context(), query)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		for _, trace := range traces {
			fmt.Fprintln(w, summarize(trace))
		}
	})
	mux.HandleFunc("GET /{id}", func(w http.ResponseWriter, r *http.Request) {
		trace, err := query.Trace(r.Context(), r.PathValue("id"))
		switch {
		case errors.Is(err, testbed.ErrNoTrace):
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "%s\n\n", summarize(trace))
		writeTree(w, trace)
	})
	return mux
}
